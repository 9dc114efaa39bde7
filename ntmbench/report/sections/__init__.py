"""The sections of the report, one file each: every module here is imported and registers its own.

A new section is a new file in this folder, or in a plug-in; see ``ntmbench.report.section``.
"""
