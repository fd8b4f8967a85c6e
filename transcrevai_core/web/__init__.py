"""HTTP beside the pages: uploads, a transcript with its sound, and who may ask."""
