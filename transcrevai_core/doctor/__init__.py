"""The memory diagnosis: what each part costs on this computer, and what follows from it."""
