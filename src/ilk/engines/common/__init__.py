"""The only code that engines share: averages, schedules, optimiser state, ranks. Each file stands alone."""
