"""Which bytes answer a request, and which seconds they are."""

from hypothesis import given
from hypothesis import strategies as st

from ami_bridge.core.spans import MOST, WAV_HEADER, WHOLE, Asked, seconds, span

places = st.integers(0, 1 << 40)


@given(first=st.none() | places, last=st.none() | places, size=st.integers(0, 1 << 32), most=st.integers(1, MOST))
def test_a_span_is_within_the_file_within_what_was_asked_and_never_too_long(first: int | None, last: int | None, size: int, most: int) -> None:
    found = span(Asked(first, last), size, most)
    begins = max(0, size - (last or 0)) if first is None else first
    ends = size - 1 if first is None or last is None else min(last, size - 1)
    if found is None:
        assert begins > ends
    else:
        assert found.start == begins and begins <= found.stop - 1 <= ends and len(found) == min(most, ends + 1 - begins)


@given(size=st.integers(1, 1 << 24), most=st.integers(1000, MOST))
def test_spans_that_follow_each_other_are_the_whole_file(size: int, most: int) -> None:
    place, seen = 0, 0
    while found := span(Asked(place, None), size, most):
        assert found.start == place
        place, seen = found.stop, seen + len(found)
    assert seen == size
    assert span(WHOLE, 0) is None


@given(rate=st.sampled_from([8000, 16_000]), channels=st.sampled_from([1, 2]), frames=st.integers(1, 10_000_000), data=st.data())
def test_the_seconds_of_a_span_hold_every_sample_in_it(rate: int, channels: int, frames: int, data: st.DataObject) -> None:
    size = WAV_HEADER + frames * 2 * channels
    first = data.draw(st.integers(0, size - 1))
    last = data.draw(st.integers(first, size - 1))
    begins, ends = seconds(range(first, last + 1), size, frames, rate)
    for place in (first, last):
        frame = max(0, place - WAV_HEADER) // (2 * channels)
        assert begins <= frame / rate <= ends
    assert ends - begins <= (last + 1 - first) / (2 * channels * rate) + 2


def test_a_minute_of_one_voice_is_one_answer() -> None:
    assert seconds(range(WAV_HEADER + 1), WAV_HEADER + 16_000, 8000, 8000) == (0, 1)
    assert seconds(range(WAV_HEADER), WAV_HEADER + 16_000, 8000, 8000) == (0, 0)
