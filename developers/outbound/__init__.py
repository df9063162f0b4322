"""3rd Party Apps APIs: the outbound HTTP calls that chat flows make, set up by a person and sent for them.

- `recipe`: what a call is made of, and filling a contact's attributes into it.
- `models`: what is kept: `OutboundApi`, `CustomAttribute`, `ApiLog`.
- `addresses`: which addresses a call may reach.
- `sending`: one call, within its limits; `answers`: what it brought.
- `mapping`: from the answer to custom attributes.
- `running`: all of it in turn, and the log. The one door for the platform.
"""
