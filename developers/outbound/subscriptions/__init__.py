"""Webhooks: programs subscribe an address to the new contacts of a bot, and a worker sends them there.

    an import ── emit ──> one event ── fan_out ──> a delivery for each contact ── deliver_one ──> the address
                 in its transaction                and subscription            by a worker

A subscription is active only while the token that made it is the current one: a revoke pauses all of an account,
without a write, until their owner keeps or stops them.
"""
