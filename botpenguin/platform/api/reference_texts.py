"""The texts of the OpenAPI document that the reference shows, where `makemessages` finds them.

The document takes them from docstrings and fields. `python -m tests.platform.reference_texts` writes this file.
"""

from django.utils.translation import gettext_noop

TEXTS = (
    gettext_noop(
        "An API access token opens these operations. Send it as `Authorization: Bearer <token>`; the header "
        "`authtype: Key` is allowed beside it. Paths have no trailing slash. Bodies are JSON of at most 1 "
        "MiB, not compressed."
    ),
    gettext_noop(
        "Every answer is an envelope: `success`, `message`, `data`, and `code`, which is the HTTP status. In "
        "an error, `data` is a list of sentences that you can show to people. `message` is the first of them,"
        " followed by the number of the others and by what was not done. `error` is a word for your program, "
        "such as `token_revoked`: it never changes, sentences do. They follow the header `Accept-Language`. "
        "Ids are 24 hexadecimal digits. Times are ISO 8601 in UTC with milliseconds."
    ),
    gettext_noop(
        "Telephone numbers are read as people write them: `+44 (0)20 7946 0991`, or `020 7946 0991` with the "
        "prefix `44`. A `+` or `00` counts more than a prefix. Answers have the number without its zero, and "
        "the prefix apart. A number that no country has is refused with 400. A number with neither is taken "
        "as it is, in digits."
    ),
    gettext_noop(
        "The headers `RateLimit-Policy` and `RateLimit` say how many requests a token may send a minute, and "
        "how many are left. Every answer has an `X-Request-ID`: quote it when you report an error. The server"
        " uses yours if it is 1 to 64 letters, digits, `.`, `_` and `-`."
    ),
    gettext_noop("List bots"),
    gettext_noop("The bots of the account, newest first."),
    gettext_noop("From 1; a page holds 5,000, which is more than most accounts have."),
    gettext_noop("The request cannot be read, it contradicts itself, or no country has such a telephone number."),
    gettext_noop("The token is missing, malformed, unknown or revoked, or its account is disabled."),
    gettext_noop("The request came over plain http, but this server requires https."),
    gettext_noop("The account has no such object."),
    gettext_noop("The path accepts other methods. `Allow` lists them."),
    gettext_noop("Fields are invalid. `message` says what the first of them should be, and `data` says it of each."),
    gettext_noop(
        "Too many requests a minute from the token, too many requests or unknown tokens from the IP address, "
        "or other large calls are in progress. `Retry-After` says when to retry."
    ),
    gettext_noop("An error occurred on the server, which has logged it."),
    gettext_noop(
        "Something that this needs is unreachable. `message` says that nothing was changed, or that a change "
        "is not confirmed yet. `Retry-After` says when to ask again."
    ),
    gettext_noop("Create a bot"),
    gettext_noop("A bot has a name, which others may have too, and the platform that it talks on."),
    gettext_noop(
        "The request conflicts with existing data, such as an email or a number of another contact. Or the "
        "account has reached a quota."
    ),
    gettext_noop("The body is larger than 1 MiB, or than the operation accepts."),
    gettext_noop("The body is not `application/json`, or it is compressed."),
    gettext_noop("Read a bot"),
    gettext_noop("One bot of the account."),
    gettext_noop("The bot's `_id`."),
    gettext_noop("Change a bot"),
    gettext_noop("Give a bot another name or platform. What is left out stays as it is."),
    gettext_noop("Delete a bot"),
    gettext_noop("Its contacts stay, and belong to no bot from then on. The answer shows the bot for the last time."),
    gettext_noop("List segments"),
    gettext_noop("Named filters, made on the Inbox page: a segment holds the contacts with at least one of its tags."),
    gettext_noop("From 1; a page holds 500, which is more than most accounts have."),
    gettext_noop("List contacts"),
    gettext_noop("The account's contacts, newest first, 50 a page; past the end `data` is empty."),
    gettext_noop(
        "A contact that was larger than 64 KB before there was a bound is shortened: its key `shortened` says so."
    ),
    gettext_noop(
        "What is added meanwhile moves the others to later pages. For a list without gaps and repetitions "
        "send the last `_id` as `after` instead of counting pages; or send the time at which you began as "
        "`createdAt.endsAt` with every page."
    ),
    gettext_noop(
        "Every key of the filter is optional. Keys that are not listed are ignored, and so are the flags "
        "(isOnline, isContact, isImported, isSubscriber) unless applicableFilters names them."
    ),
    gettext_noop("From 1; a page holds 50. Past the end it is empty."),
    gettext_noop(
        "The `_id` of a contact: pages are counted from the next older one. With the last `_id` that you have"
        " and no `page`, no contact comes twice and none is left out, whatever is added meanwhile."
    ),
    gettext_noop("A part of a name, an email, a number (however it is written) or a profile's name or id."),
    gettext_noop("With one of these statuses."),
    gettext_noop("At least one of these tags."),
    gettext_noop("In at least one of these segments."),
    gettext_noop("Reached on one of these platforms."),
    gettext_noop("Of one of these bots, or of one that another key of this kind names."),
    gettext_noop("Whose last message is by one of these."),
    gettext_noop("The first time. Empty: from the beginning."),
    gettext_noop("The last time. Empty: until now."),
    gettext_noop("Which of isOnline, isContact, isImported and isSubscriber are to filter."),
    gettext_noop("Online now. On this server, no contact is."),
    gettext_noop("Whether it is marked as a contact."),
    gettext_noop("Whether it came by an import."),
    gettext_noop("Whether it has subscribed."),
    gettext_noop("Import contacts"),
    gettext_noop("Add up to 1,000 contacts, all or none."),
    gettext_noop(
        "A row whose email or number a contact has already updates that contact: tags are added, attributes "
        "merged, and a name, email, number or country that is empty or left out stays as it is. A number "
        "without a prefix is that of the contact with the row's email, or of the one contact that has it in "
        "its country. The answer is 201 if any contact is new, 200 if all were there, and 400 with a sentence"
        " for each row that is wrong. It is 429 while another call of the account with more than 500 contacts"
        " and tags is under way, if this one has as many, and 413 where the contacts, with what is known of "
        "them already, hold more than 8 MB, or those that are there already more than 4 MB. Keys that a "
        "contact does not have are ignored, and `message` names them."
    ),
    gettext_noop("The bot that the contacts belong to."),
    gettext_noop("The domain may also be in Unicode. Answers have it in ASCII (IDNA 2008)."),
    gettext_noop("Set the status of contacts"),
    gettext_noop("Give up to 1,000 contacts one status: all of them, or none where an id is unknown."),
    gettext_noop("The answer is 429 and 413 as for an import."),
    gettext_noop("Read a contact"),
    gettext_noop("One contact of the account, whole, however large it is."),
    gettext_noop("The contact's `_id`."),
    gettext_noop("Change a contact"),
    gettext_noop("Takes a contact as it was read, or only what changes; an empty text empties its field."),
    gettext_noop(
        "Tags, notes and the attributes of the profile replace what is there; attributes beside the profile "
        'are merged, and so is a map that has no key of a contact, such as `{"plan": "gold"}`. `_id`, '
        "`_customer`, `createdAt`, `updatedAt`, `isImported`, `isOnline`, `lastMessage` and `lastSeenAt` are "
        "read-only: what is sent for them is ignored. This server sends no messages, so `lastMessage` and "
        "`lastSeenAt` never change and `isOnline` is always false. `segments` follows the tags and "
        "`whatsAppNumber` the number. A number that is sent without a prefix keeps the contact's prefix. "
        "Other keys are ignored too; where a body has nothing else, `message` names them. An email or a "
        "number belongs to one contact. `DELETED` is an ordinary status; the contact stays listed. Of a "
        "contact that a list has shortened, attributes are merged and notes stay. A contact takes at most 64 "
        "KB; one that was larger before may keep its size or become smaller."
    ),
    gettext_noop("As it was read: then attributes are merged, and notes stay as they are."),
    gettext_noop("Set attributes of a contact"),
    gettext_noop("Takes a list of `{key, value}`, or a map. Other attributes stay; one whose value is null goes away."),
    gettext_noop("Test a credential"),
    gettext_noop(
        "Answers 200 only if the token is good, the bot belongs to its account, and its platform is this one."
    ),
    gettext_noop("The integration's name."),
    gettext_noop("Where it is sent, the bot's platform."),
    gettext_noop("Set attributes of the contact with this email, number or id"),
    gettext_noop("Other attributes stay; one whose value is null goes away."),
    gettext_noop(
        "An email, a number or an id. A number with its country's prefix finds one contact at most, however "
        "it is written: +44 (0)20 7946 0991, 0044 20 7946 0991, 442079460991."
    ),
    gettext_noop("List WhatsApp bots"),
    gettext_noop("The ids and names of the account's bots on WhatsApp, newest first."),
    gettext_noop("List the webhooks of a bot"),
    gettext_noop(
        "The addresses that get an event of a bot. One that waits for its owner after a revoke is not among them."
    ),
    gettext_noop("`newLeadHook`: a contact of the bot comes to be."),
    gettext_noop("Set up or end a webhook"),
    gettext_noop(
        "Each new contact of the bot is posted to the address, as `data` beside `botId`, `platform` and `event`."
    ),
    gettext_noop(
        "A request without an answer of 2xx is repeated for a day, with the same `webhook-id` in its headers."
        " The Developers page lists the webhooks, and a revoke of the token pauses all of them."
    ),
    gettext_noop("Where each event is posted to."),
    gettext_noop("False ends the subscription of this address."),
    gettext_noop("Run a 3rd party API"),
    gettext_noop("Sends the call that was set up on the Developers page, and maps its response to attributes."),
    gettext_noop(
        "The answer is 200 also where the other server fails: see `response`. It is 422 where an attribute "
        "that the call needs is missing, and 429 where a call of the account is still under way or there were"
        " too many."
    ),
    gettext_noop("The API's id, which its page shows."),
    gettext_noop("What the call's `{{name}}` stand for. Goes before what the contact has."),
    gettext_noop("A contact: its name, email, phone and attributes are filled in, and what is mapped is stored."),
    gettext_noop("Who am I?"),
    gettext_noop(
        "The account that the token belongs to, the token's last four characters, and when it was issued and last used."
    ),
    gettext_noop("The last use is the one before this request, known to the minute."),
    gettext_noop("Check a token for a gateway"),
    gettext_noop("For gateways that ask before they let a call through: `auth_request` of nginx and the like."),
    gettext_noop(
        "A valid token is answered without a body; headers say whose it is. It does not count towards the "
        "limit of requests a minute. Nothing may keep the answer: a revoke takes effect at once."
    ),
    gettext_noop("Report exposed tokens"),
    gettext_noop(
        "For whoever finds tokens where others can read them, scanners for secrets above all. Needs no token."
    ),
    gettext_noop(
        "Each live one is revoked before the answer, and its owner is mailed. The answer is the same whatever"
        " the texts are, so it does not reveal which of them were live. At most 100 in a body of 16 KB, each "
        "a token or a line that holds one, and 10 requests a minute from an address."
    ),
    gettext_noop("Which programs use the token?"),
    gettext_noop(
        "The programs that sent a token of this account, the current one or a revoked one. The last used is the first."
    ),
    gettext_noop(
        "A program is the first product name of its User-Agent, without the version. Programs choose these "
        "names themselves, and several may share one. Owners give labels on the page of the token. A call is "
        "counted within a minute. The answer has at most 50 programs, those with a label and those used last,"
        ' and of each the 20 addresses used last. Of one day, programs beyond 50 are counted as "Other '
        'programs", and addresses of a program beyond 20 as "Other addresses". Programs and addresses of '
        "earlier days keep their own names."
    ),
    gettext_noop("Revoke this token"),
    gettext_noop("Call it only if others may have the token. Every program that uses the token stops working at once."),
    gettext_noop("Its owner is mailed. The new one is not in the answer: its owner finds it on the Developers page."),
)
