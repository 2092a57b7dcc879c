"""What Django itself says to those who fill in forms, as a clerk in a Chinese shop would say it."""

import datetime as dt

import pytest
import time_machine
from django import forms
from django.contrib.auth.forms import AuthenticationForm
from django.utils import timezone, translation

from portal.web import rendering

TRANSLATED = ("确保", "该变量", "该值", "有效的", "这个字段")
"""Words of Django's own catalogue that nobody says at a counter."""


class EveryField(forms.Form):
    required = forms.CharField()
    long = forms.CharField(max_length=5)
    short = forms.CharField(min_length=5)
    small = forms.IntegerField(max_value=10)
    large = forms.IntegerField(min_value=10)
    whole = forms.IntegerField()
    number = forms.DecimalField()
    choice = forms.ChoiceField(choices=[("a", "a")])
    several = forms.MultipleChoiceField(choices=[("a", "a")])
    date = forms.DateField()
    moment = forms.DateTimeField()
    email = forms.EmailField()
    key = forms.UUIDField()
    odd = forms.CharField()
    file = forms.FileField()


WRONG = {
    "long": "123456",
    "short": "1",
    "small": "11",
    "large": "9",
    "whole": "x",
    "number": "x",
    "choice": "b",
    "several": ["b"],
    "date": "x",
    "moment": "x",
    "email": "x",
    "key": "x",
    "odd": "a\x00b",
}


def test_no_message_about_a_field_reads_as_translated() -> None:
    with translation.override("zh-hans"):
        form = EveryField(WRONG)
        said = {name: str(errors[0]) for name, errors in form.errors.items()}
    assert set(said) == set(form.fields)
    assert not [text for text in said.values() if any(word in text for word in TRANSLATED)]
    assert said["required"] == "请填写此项。"
    assert said["long"] == "最多 5 个字，现在有 6 个。"
    assert said["small"] == "不能大于 10。"


@pytest.mark.django_db
def test_wrong_password_is_told_in_one_sentence() -> None:
    with translation.override("zh-hans"):
        form = AuthenticationForm(data={"username": "clerk", "password": "wrong"})
        assert form.non_field_errors() == ["用户名或密码不正确，请注意大小写。"]


@pytest.mark.parametrize(
    ("seconds", "chinese", "english"),
    [
        (0, "刚刚", "just now"),
        (59, "刚刚", "just now"),
        (300, "5 分钟前", "5 minutes ago"),
        (90_000, "1 天前", "1 day ago"),
    ],
)
def test_how_long_ago(seconds: int, chinese: str, english: str) -> None:
    at = timezone.now() - dt.timedelta(seconds=seconds)
    for language, wanted in (("zh-hans", chinese), ("en", english)):
        with translation.override(language):
            assert rendering.ago(at).replace("\xa0", " ") == wanted


@pytest.mark.parametrize(
    ("language", "this_year", "last_year"),
    [("zh-hans", "3月5日 18:41", "2025年3月5日 18:41"), ("en", "03-05 18:41", "2025-03-05 18:41")],
)
def test_days_are_written_as_the_readers_do(language: str, this_year: str, last_year: str) -> None:
    with translation.override(language), time_machine.travel("2026-03-09T12:00Z", tick=False):
        for year, wanted in ((2026, this_year), (2025, last_year)):
            assert f">{wanted}</time>" in rendering.moment(dt.datetime(year, 3, 5, 10, 41, tzinfo=dt.UTC))
