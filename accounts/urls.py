"""The URLs of account pages: our own, and those of allauth's that have a template here, under allauth's names."""

from allauth.account import views as allauth
from allauth.mfa.base import views as mfa
from django.urls import path, register_converter
from django.urls.converters import StringConverter

from accounts.views import (
    account,
    deletion,
    email_confirmation,
    language,
    passkeys,
    second_step,
    security,
    security_log,
)


class Base36Converter(StringConverter):
    """A number in base 36. It excludes the hyphen, since the key that follows may hold one."""

    regex = "[0-9A-Za-z]+"


register_converter(Base36Converter, "base36")

urlpatterns = [
    path("", account.my_account, name="my-account"),
    path("emails/", account.choose_mails, name="choose-mails"),
    path("language/", language.choose_language, name="choose-language"),
    path("security/", security.security, name="security"),
    path("security/authenticator/", security.set_up_authenticator, name="set-up-authenticator"),
    path("security/authenticator/remove/", security.remove_authenticator, name="remove-authenticator"),
    path("security/recovery-codes/", security.recovery_codes, name="recovery-codes"),
    path("security/recovery-codes/show/", security.show_recovery_codes, name="show-recovery-codes"),
    path("security/recovery-codes/new/", security.make_recovery_codes, name="make-recovery-codes"),
    path("security/passkeys/add/", passkeys.add_passkey, name="add-passkey"),
    path("security/passkeys/<int:pk>/", passkeys.passkey, name="passkey"),
    path("security/passkeys/<int:pk>/remove/", passkeys.remove_passkey, name="remove-passkey"),
    path("security/log/", security_log.security_log, name="security-log"),
    path("security/log/download/", security_log.download, name="download-security-log"),
    path("email/", account.change_email, name="account_email"),
    path("delete/", deletion.delete_account, name="delete-account"),
    path("sessions/end/", account.end_session, name="end-session"),
    path("sessions/end-others/", account.end_other_sessions, name="end-other-sessions"),
    path("login/", allauth.login, name="account_login"),
    path("login/second-step/", second_step.second_step, name="mfa_authenticate"),
    path("login/start-again/", second_step.start_again, name="start-again"),
    path("login/passkey/", passkeys.log_in, name="mfa_login_webauthn"),
    path("logout/", account.log_out, name="account_logout"),
    path("signup/", allauth.signup, name="account_signup"),
    path("inactive/", allauth.account_inactive, name="account_inactive"),
    path("reauthenticate/", allauth.reauthenticate, name="account_reauthenticate"),
    path("reauthenticate/code/", mfa.reauthenticate, name="mfa_reauthenticate"),
    path("reauthenticate/passkey/", passkeys.reauthenticate, name="mfa_reauthenticate_webauthn"),
    path("confirm-email/", allauth.email_verification_sent, name="account_email_verification_sent"),
    path("confirm-email/again/", email_confirmation.send_again, name="send-confirmation-again"),
    path("confirm-email/again/done/", email_confirmation.sent_again, name="confirmation-sent-again"),
    path("confirm-email/<str:key>/", email_confirmation.confirm_email, name="account_confirm_email"),
    path("password/reset/", allauth.password_reset, name="account_reset_password"),
    path("password/reset/done/", allauth.password_reset_done, name="account_reset_password_done"),
    path(
        "password/reset/key/done/",
        allauth.password_reset_from_key_done,
        name="account_reset_password_from_key_done",
    ),
]
