"""3rd Party Apps APIs: the outbound HTTP calls that chat flows make, as their owner has set them up.

- `recipe`: the parts of a call, and filling a contact's attributes in.
- `models`: the tables `OutboundApi`, `CustomAttribute` and `ApiLog`.
- `call_drafts`: the table `CallDraft`, what is typed in the editor and not saved.
- `validation`, `url_rules`: what a call may contain.
- `transport`: the addresses a call may reach, sending it within its limits, and its response.
- `mapping`: from the response to custom attributes.
- `running`: all of these steps, and the log. The platform's only interface.
"""
