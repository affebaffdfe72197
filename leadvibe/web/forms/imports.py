"""The form that a file is uploaded with. What is in the file, imports decides."""

from __future__ import annotations

from wtforms import FileField

from leadvibe.web.forms.member_form import MemberForm


class UploadForm(MemberForm):
    file = FileField("CSV file")
