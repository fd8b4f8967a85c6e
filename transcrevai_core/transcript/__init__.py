"""Pure functions on the words of the field: turns, words with speakers, times, names, RTTM."""
