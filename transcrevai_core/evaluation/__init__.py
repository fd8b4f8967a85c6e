"""A hypothesis held against its reference: WER, CER, cpWER and DER, with policies stated."""
