"""The commands, one a module, each with the name `command`. A module is imported when its command is asked for."""
