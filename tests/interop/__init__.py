"""The real RQ 2.12 and the tools around it on keys of ours, and we on keys of theirs."""
