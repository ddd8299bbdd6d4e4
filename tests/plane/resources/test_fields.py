from plane.resources.fields import Faults, Fields


def test_unknown_fields_are_told_with_what_may_have_been_meant():
    faults = Faults()
    fields = Fields({"sever": "x", "token": "t"}, "spec", faults)
    fields.text("server")
    fields.text("token")
    fields.done()
    assert faults.problems == [("spec.sever", "unknown field: did you mean server?")]


def test_null_is_the_same_as_not_there():
    faults = Faults()
    fields = Fields({"a": None, "b": None, "c": None, "d": None, "e": None}, "", faults)
    assert fields.text("a") == ""
    assert fields.texts("b") == ()
    assert fields.flag("c", default=True)
    assert fields.labels("d") == {}
    assert fields.children("e") == []
    assert faults.problems == []


def test_a_number_is_not_taken_for_a_text():
    faults = Faults()
    assert Fields({"labels": {"build": 1.10}}, "", faults).labels("labels") == {}
    assert faults.problems == [("labels.build", "must be a text, not a number: put it in quotes")]


def test_quoted_yes_and_no_are_true_and_false():
    fields = Fields({"a": "yes", "b": "No"}, "", Faults())
    assert (fields.flag("a"), fields.flag("b", default=True)) == (True, False)
