from django.urls import path

from accounts.views import account, devices, invitations, members, merchant, session

app_name = "accounts"

urlpatterns = [
    path("login", session.LoginView.as_view(), name="login"),
    path("logout", session.log_out, name="logout"),
    path("logged-in", session.logged_in, name="logged_in"),
    path("password", session.PasswordView.as_view(), name="password"),
    path("language", session.set_language, name="language"),
    path("theme", session.set_theme, name="theme"),
    path("join/<str:secret>", invitations.join, name="join"),
    path("settings/", merchant.own_settings, name="settings"),
    path("settings/account", account.profile, name="profile"),
    path("settings/my-data", account.my_data, name="my_data"),
    path("settings/my-data.json", account.export, name="my_data_export"),
    path("settings/my-data/erase", account.erase, name="erase"),
    path("settings/devices/<int:session_id>/end", devices.end_session, name="end_session"),
    path("settings/members/", members.members, name="members"),
    path("merchants/<slug:public_id>/invitations", members.invite, name="invite"),
    path("merchants/<slug:public_id>/invitations/<int:number>/withdraw", members.withdraw, name="withdraw_invitation"),
    path("merchants/<slug:public_id>/members/<int:number>/role", members.change_role, name="change_role"),
    path("merchants/<slug:public_id>/members/<int:number>/remove", members.remove, name="remove_member"),
    path("merchants/<slug:public_id>/members/<int:number>/hand-over", members.hand_over, name="hand_over"),
    path("merchants/<slug:public_id>/settings", merchant.settings, name="merchant_settings"),
    path("merchants/<slug:public_id>/keys", merchant.create_key, name="create_key"),
    path("merchants/<slug:public_id>/keys/<int:key_id>/rotate", merchant.rotate_key, name="rotate_key"),
    path("merchants/<slug:public_id>/keys/<int:key_id>/revoke", merchant.revoke_key, name="revoke_key"),
    path("merchant", session.switch_merchant, name="switch_merchant"),
]
