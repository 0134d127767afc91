"""The five questions, one file each: ``measure`` gives the numbers, ``ask`` the answer with its sentence."""
