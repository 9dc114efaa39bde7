"""Tasks that disturb a memory: by noise, by distraction, by crowding and by age."""
