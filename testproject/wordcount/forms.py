"""The form for the address of a page."""

from __future__ import annotations

from django import forms
from django.core.validators import URLValidator


class HttpURLField(forms.URLField):
    """A URL that ``requests`` can fetch."""

    default_validators = [
        URLValidator(schemes=["http", "https"], message="Enter an http or https address.")
    ]


class CountWordsForm(forms.Form):
    """Which page to count."""

    url = HttpURLField(
        label="Count the words at",
        assume_scheme="https",
        error_messages={
            "required": "Enter the address of a page.",
            "invalid": "Enter an http or https address.",
        },
        widget=forms.URLInput(attrs={"spellcheck": "false", "autocapitalize": "off"}),
    )
