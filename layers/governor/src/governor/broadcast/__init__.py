"""What the functions behind OpenRouter's Broadcast share.

`messages`: what they hand to one another. `stream`: where costs wait. `destination`: how it must be set up.
`meter_tips`: what wakes the meter. `header_token`: whether a delivery bears the configured token. Nothing is imported
here, and nothing of these needs pydantic: the gateway is public.
"""
