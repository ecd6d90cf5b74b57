"""People's decisions: what is asked, who may vote, and the proof that they did.

`approval`: a request and its votes, pure. `store`: where they are kept. `evidence`: the events about them. `truth`:
whether the rows confirm what an event says. `authorship`: who made a version, and how many others must approve it.
`wording`: what a request asks people to decide, in words.
"""
