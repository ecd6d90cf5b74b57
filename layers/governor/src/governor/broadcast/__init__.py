"""What the functions behind OpenRouter's Broadcast share.

`messages`: what they hand to one another. `stream`: where costs wait. `destination`: how it must be set up.
`meter_tips`: what wakes the meter.
"""
