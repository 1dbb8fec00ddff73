"""Every address in one list. Login is required everywhere but where a view says otherwise."""

from __future__ import annotations

from django.urls import path, register_converter

from gatekeeper.converters import MemberNumber, Reference, TicketNumber
from gatekeeper.views import accounts, checks, decisions, feeds, home, log, requests, team
from staff.views import invitation, members, ndas, profile, sign_in

register_converter(Reference, "account")
register_converter(TicketNumber, "ticket")
register_converter(MemberNumber, "member")

urlpatterns = [
    path("", home.home, name="home"),
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
    path("inbox/", decisions.inbox, name="inbox"),
    path("inbox/list", decisions.inbox_list, name="inbox_list"),
    path("requests/<int:request_id>", decisions.approval, name="approval"),
    path("requests/<int:request_id>/approve", decisions.approve, name="approve"),
    path("requests/<int:request_id>/deny", decisions.deny, name="deny"),
    path("requests/<int:request_id>/withdraw", requests.withdraw, name="withdraw"),
    path("grants/<int:grant>/end", accounts.end_grant, name="end_grant"),
    # people
    path("team/", team.team, name="team"),
    path("team/deputies", team.deputies, name="deputies"),
    path("team/deputies/<int:deputy_id>/end", team.end_deputy, name="end_deputy"),
    path("team/<member:number>/suspend", team.suspend, name="suspend"),
    path("members/", members.members, name="members"),
    path("members/<member:number>/", members.member, name="member"),
    path("members/<member:number>/<slug:action>/", members.act, name="member_action"),
    path("ndas/", ndas.ndas, name="ndas"),
    # the log, and the state of the house
    path("log/", log.entries, name="entries"),
    path("checks/", checks.checks, name="checks"),
    # signing in
    path("sign-in/", sign_in.sign_in, name="sign_in"),
    path("sign-in/code/", sign_in.code, name="sign_in_code"),
    path("sign-in/enrol/", sign_in.enrol, name="enrol"),
    path("step-up/", sign_in.step_up, name="step_up"),
    path("sign-out/", sign_in.sign_out, name="sign_out"),
    path("invitation/<str:token>/", invitation.invitation, name="invitation"),
    path("profile/", profile.profile, name="profile"),
    path("preferences/", profile.preferences, name="preferences"),
    # machines
    path("api/tickets", feeds.ticket, name="api_tickets"),
    path("api/tickets/heartbeat", feeds.heartbeat, name="api_heartbeat"),
    path("api/accounts/<account:reference>", feeds.account, name="api_account"),
]
