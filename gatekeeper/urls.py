"""Every address in one list. Login is required everywhere but where a view says otherwise."""

from __future__ import annotations

from django.urls import path, register_converter

from gatekeeper.access.views import accounts, decisions, inbox, live, more, prints, requests, team
from gatekeeper.feeds import api, ticket_api
from gatekeeper.frame.converters import MemberNumber, Number, Reference, TicketNumber, VersionNumber
from gatekeeper.log.views import entry, explorer, export, own
from gatekeeper.pages import checks, home
from gatekeeper.reports import views as reports
from gatekeeper.reviews.views import exports as review_exports
from gatekeeper.reviews.views import questions, reviewing, verdict
from gatekeeper.serving import errors
from staff.directory.views import member_acts, members, proposals, recoveries
from staff.nda.views import authorisations, drafts, ndas, register, signatures, signing
from staff.sign_in.views import enrolment, factors, invitation, passkeys, password, profile, sessions, sign_in

register_converter(Reference, "account")
register_converter(TicketNumber, "ticket")
register_converter(MemberNumber, "member")
register_converter(Number, "id")
register_converter(VersionNumber, "version")

urlpatterns = [
    path("", home.home, name="home"),
    path("list", home.home_list, name="home_list"),
    path("pulse", live.pulse, name="pulse"),
    path("go/", home.go, name="go"),
    path("tickets/<ticket:number>", home.ticket, name="ticket"),
    # the gate, and what is behind it
    path("accounts/<account:reference>", accounts.account, name="account"),
    path("accounts/<account:reference>/gate", accounts.gate_state, name="gate_state"),
    path("accounts/<account:reference>/ask", requests.ask, name="ask"),
    path("accounts/<account:reference>/open", accounts.open_window, name="open_window"),
    path("accounts/<account:reference>/reveal", accounts.reveal, name="reveal"),
    path("accounts/<account:reference>/participants", accounts.participants, name="participants"),
    # requests and grants
    path("inbox/", inbox.inbox, name="inbox"),
    path("inbox/list", inbox.inbox_list, name="inbox_list"),
    path("requests/<id:request_id>", decisions.approval, name="approval"),
    path("requests/<id:request_id>/approve", decisions.approve, name="approve"),
    path("requests/<id:request_id>/deny", decisions.deny, name="deny"),
    path("requests/<id:request_id>/withdraw", requests.withdraw, name="withdraw"),
    path("today/more", more.ask, name="ask_more"),
    path("today/more/<id:more_id>/approve", more.approve, name="approve_more"),
    path("today/more/<id:more_id>/deny", more.deny, name="deny_more"),
    path("today/more/<id:more_id>/withdraw", more.withdraw, name="withdraw_more"),
    path("grants/<id:grant>/end", accounts.end_grant, name="end_grant"),
    path("grants/<id:grant>/print", prints.print_grant, name="print_grant"),
    # people
    path("team/", team.team, name="team"),
    path("team/deputies", team.deputies, name="deputies"),
    path("team/deputies/<id:deputy_id>/end", team.end_deputy, name="end_deputy"),
    path("members/", members.members, name="members"),
    path("members/<member:number>/", members.member, name="member"),
    path("members/new/", members.new_member, name="new_member"),
    path("members/<member:number>/authorisations/", authorisations.of_member, name="member_authorisations"),
    path("members/<member:number>/<slug:action>/", member_acts.act, name="member_action"),
    path("proposals/", proposals.waiting, name="proposals"),
    path("proposals/<id:proposal>/confirm", proposals.confirm, name="confirm_proposal"),
    path("recoveries/<id:number>/acknowledge", recoveries.acknowledge, name="acknowledge_recovery"),
    path("proposals/<id:proposal>/decline", proposals.decline, name="decline_proposal"),
    path("members/<member:number>/nda", signatures.nda_upload, name="nda_upload"),
    path("nda/", signing.nda, name="nda"),
    path("nda/<id:signature>/file", signing.nda_file, name="nda_file"),
    path("ndas/", ndas.ndas, name="ndas"),
    path("ndas/draft", drafts.nda_draft, name="nda_draft"),
    path("ndas/preview", drafts.nda_preview, name="nda_preview"),
    path("ndas/publish", drafts.nda_publish, name="nda_publish"),
    path("ndas/countersign", signatures.nda_countersign, name="nda_countersign"),
    path("ndas/papers", signatures.unconfirmed_scans, name="unconfirmed_scans"),
    path("ndas/register", register.nda_register, name="nda_register"),
    path("ndas/register.csv", register.nda_register_csv, name="nda_register_csv"),
    path("ndas/<version:number>/", ndas.nda_version, name="nda_version"),
    path("ndas/<version:number>/recall", ndas.nda_recall, name="nda_recall"),
    path("authorisations/", authorisations.register, name="authorisations"),
    path("authorisations/export", authorisations.export, name="authorisations_export"),
    path("authorisations/<id:authorisation>/paper", authorisations.pdf, name="authorisation_pdf"),
    path(
        "authorisations/<id:authorisation>/withdraw", authorisations.withdraw, name="withdraw_authorisation"
    ),
    # the log, and the state of the installation
    path("log/", explorer.entries, name="entries"),
    path("log/figures", explorer.log_figures, name="log_figures"),
    path("log/export", export.log_export, name="log_export"),
    path("log/<id:number>", entry.entry, name="entry"),
    path("reports/", reports.reports, name="reports"),
    path("reviews/", reviewing.reviews, name="reviews"),
    path("reviews/report", review_exports.review_report, name="review_report"),
    path("reviews/questions", questions.questions, name="review_questions"),
    path("reviews/<id:number>", reviewing.review, name="review"),
    path("reviews/<id:number>/decide", verdict.review_decide, name="review_decide"),
    path("reviews/<id:number>/answer", questions.review_answer, name="review_answer"),
    path("reviews/<id:number>/affected", review_exports.review_affected, name="review_affected"),
    path("checks/", checks.checks, name="checks"),
    path("checks/mail", checks.test_mail, name="test_mail"),
    # signing in
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/enrol/", enrolment.enrol, name="enrol"),
    path("step-up/", sign_in.step_up, name="step_up"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("invitation/<str:token>/", invitation.invitation, name="invitation"),
    path("passkeys/begin", passkeys.passkey_begin, name="passkey_begin"),
    path("passkeys/complete", passkeys.passkey_complete, name="passkey_complete"),
    path("passkeys/add/begin", passkeys.passkey_add_begin, name="passkey_add_begin"),
    path("passkeys/add/complete", passkeys.passkey_add_complete, name="passkey_add_complete"),
    path("profile/", profile.profile, name="profile"),
    path("profile/factors/", factors.own_factors, name="factors"),
    path("profile/factors/passkey/", factors.add_passkey, name="add_passkey"),
    path("profile/factors/totp/", factors.add_totp, name="add_totp"),
    path("profile/factors/remove", factors.remove_factor, name="remove_factor"),
    path("profile/recovery-codes/", factors.recovery_codes, name="recovery_codes"),
    path("profile/recovery-codes/kept", factors.recovery_kept, name="recovery_kept"),
    path("profile/recovery-codes/file", factors.recovery_file, name="recovery_file"),
    path("profile/activity/", own.own_entries, name="own_entries"),
    path("forgot/", password.forgot, name="forgot"),
    path("profile/password/", password.change, name="change_password"),
    path("profile/sessions/", sessions.own, name="sessions"),
    path("profile/sessions/end-others/", sessions.end_others, name="end_other_sessions"),
    path("profile/sessions/<id:number>/end/", sessions.end, name="end_session"),
    path("session/left/", sessions.left, name="session_left"),
    path("session/stay/", sessions.stay, name="session_stay"),
    path("preferences/", profile.preferences, name="preferences"),
    # machines
    path("api/tickets", ticket_api.ticket, name="api_tickets"),
    path("api/tickets/heartbeat", ticket_api.heartbeat, name="api_heartbeat"),
    path("api/accounts/<account:reference>", api.account, name="api_account"),
]

handler400 = errors.bad_request
handler403 = errors.forbidden
handler404 = errors.not_found
handler500 = errors.server_error
