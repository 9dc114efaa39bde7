"""What persons of a family are to one another, and what facts make of it."""

from __future__ import annotations

import numpy as np

#: A man's and a woman's word for each fact.
FACTS = {
    "parent": ("father", "mother"),
    "child": ("son", "daughter"),
    "sibling": ("brother", "sister"),
    "spouse": ("husband", "wife"),
}

#: A man's and a woman's word for each relation that may be asked for.
RELATIONS = {
    **FACTS,
    "grandparent": ("grandfather", "grandmother"),
    "grandchild": ("grandson", "granddaughter"),
    "parent's sibling": ("uncle", "aunt"),
    "sibling's child": ("nephew", "niece"),
    "cousin": ("cousin", "cousin"),
    "parent-in-law": ("father-in-law", "mother-in-law"),
    "child-in-law": ("son-in-law", "daughter-in-law"),
    "sibling-in-law": ("brother-in-law", "sister-in-law"),
}

#: What each fact makes of a person, by what the person before was to the first one. A name with a
#: remark behind a colon stands for the relation before it. A fact is missing if the person would
#: have no word here, or could be one that was named before: a sibling's parent is a parent, but
#: not if that sibling was told of as a parent's child.
_AFTER: dict[str, dict[str, str]] = {
    "self": {
        "parent": "parent",
        "child": "child",
        "sibling": "sibling",
        "spouse": "spouse",
    },
    "parent": {
        "parent": "grandparent",
        "child": "sibling:by parent",
        "sibling": "parent's sibling",
    },
    "child": {
        "parent": "spouse",
        "child": "grandchild",
        "sibling": "child",
        "spouse": "child-in-law",
    },
    "child:by spouse": {
        "child": "grandchild",
        "sibling": "child:by spouse",
        "spouse": "child-in-law",
    },
    "sibling": {
        "parent": "parent",
        "child": "sibling's child",
        "sibling": "sibling",
        "spouse": "sibling-in-law:by sibling",
    },
    "sibling:by parent": {
        "child": "sibling's child",
        "sibling": "sibling:by parent",
        "spouse": "sibling-in-law:by sibling",
    },
    "spouse": {"parent": "parent-in-law", "child": "child:by spouse", "sibling": "sibling-in-law"},
    "grandparent": {"child": "parent's sibling:by grandparent"},
    "grandchild": {"sibling": "grandchild"},
    "parent's sibling": {
        "parent": "grandparent",
        "child": "cousin",
        "sibling": "parent's sibling",
    },
    "parent's sibling:by grandparent": {
        "child": "cousin",
        "sibling": "parent's sibling:by grandparent",
    },
    "sibling's child": {"sibling": "sibling's child"},
    "cousin": {"sibling": "cousin"},
    "parent-in-law": {"child": "sibling-in-law:by parent"},
    "child-in-law": {"child": "grandchild"},
    "sibling-in-law": {
        "parent": "parent-in-law",
        "child": "sibling's child",
        "sibling": "sibling-in-law",
    },
    "sibling-in-law:by parent": {
        "child": "sibling's child",
        "sibling": "sibling-in-law:by parent",
    },
    "sibling-in-law:by sibling": {"child": "sibling's child"},
}

_STATES, _KINDS = list(_AFTER), list(RELATIONS)

#: The state after each fact, ``[states, facts]``; NOBODY where the fact may not follow. The first
#: state is that of the first person.
NOBODY = -1
AFTER = np.array(
    [
        [_STATES.index(then[fact]) if fact in then else NOBODY for fact in FACTS]
        for then in _AFTER.values()
    ]
)

#: Which relation each state is; that of the first person to itself is none.
RELATION = np.array(
    [_KINDS.index(kind) if (kind := state.split(":")[0]) in _KINDS else NOBODY for state in _STATES]
)

#: The words of relations, and the number of each relation's word for a man and for a woman.
WORDS = tuple(dict.fromkeys(word for pair in RELATIONS.values() for word in pair))
WORD_OF = np.array([[WORDS.index(word) for word in pair] for pair in RELATIONS.values()])
