#include "app/view/selection.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace app::view;

TEST_CASE("HeadSet, is a set of heads in order") {
  const HeadSet set = HeadSet::of({{2, 1}, {0, 3}, {2, 1}});
  CHECK(set.size() == 2);
  CHECK(set.contains({0, 3}));
  CHECK_FALSE(set.contains({0, 1}));
  CHECK(set.contains_layer(2));
  CHECK_FALSE(set.contains_layer(1));
  CHECK(set.toggled({0, 3}) == HeadSet::of({{2, 1}}));
  CHECK(set.toggled({1, 0}) == HeadSet::of({{0, 3}, {1, 0}, {2, 1}}));
  CHECK(HeadSet::layer(4, 3) == HeadSet::of({{4, 0}, {4, 1}, {4, 2}}));
}

TEST_CASE("Selection, a range dragged backwards is the same range") {
  CHECK(select_tokens({}, 9, 4).tokens == TokenRange{4, 10});
  CHECK(select_tokens({}, 4, 9) == select_tokens({}, 9, 4));
  CHECK(select_tokens({}, 4, 4).tokens == TokenRange{4, 5});
}

TEST_CASE("Selection, a range grows from the pinned token and shrinks back over it") {
  Selection selection = extend_tokens(pin_token({}, 5), 1, 10);
  CHECK(selection.tokens == TokenRange{5, 7});
  selection = extend_tokens(extend_tokens(selection, -1, 10), -1, 10);
  CHECK(selection.tokens == TokenRange{4, 6});
  selection = extend_tokens(selection, -1, 10);
  CHECK(selection.tokens == TokenRange{3, 6});
  CHECK(selection.token == 5);
}

TEST_CASE("Selection, a range grows to the ends of the text and no further") {
  CHECK(extend_tokens(pin_token({}, 5), 100, 10).tokens == TokenRange{5, 10});
  CHECK(extend_tokens(pin_token({}, 5), -100, 10).tokens == TokenRange{0, 6});
  CHECK(extend_tokens(select_tokens({}, 2, 4), 1, 10).tokens == TokenRange{2, 6});
  CHECK_FALSE(extend_tokens({}, 1, 10).tokens);
  CHECK_FALSE(extend_tokens(pin_token({}, 5), 1, 0).tokens);
}

TEST_CASE("Selection, heads follow each other over layers and stop at the ends") {
  CHECK(pin_next_head({}, 1, 3, 2).head == Head{0, 0});
  CHECK(pin_next_head({}, -1, 3, 2).head == Head{2, 1});
  CHECK(pin_next_head(pin_head({}, {0, 1}), 1, 3, 2).head == Head{1, 0});
  CHECK(pin_next_head(pin_head({}, {2, 1}), 1, 3, 2).head == Head{2, 1});
  CHECK(pin_next_head(pin_head({}, {0, 0}), -1, 3, 2).head == Head{0, 0});
  CHECK_FALSE(pin_next_head({}, 1, 0, 0).head);
}

TEST_CASE("Selection, is limited to the pinned head's layer and back") {
  CHECK(toggle_layer({}, 2).heads.empty());
  const Selection limited = toggle_layer(pin_head({}, {1, 0}), 2);
  CHECK(limited.heads == HeadSet::of({{1, 0}, {1, 1}}));
  CHECK(toggle_layer(limited, 2).heads.empty());
}

TEST_CASE("Selection, Esc clears ranges first, then pins, and never the time") {
  Selection selection = select_tokens(pin_head(pin_token({}, 5), {1, 2}), 3, 8);
  selection.position = 77;
  selection.operation = std::int16_t{2};
  selection = clear_one(selection);
  CHECK_FALSE(selection.tokens);
  CHECK_FALSE(selection.operation);
  CHECK(selection.token == 5);
  selection = clear_one(selection);
  CHECK(selection.nothing_pinned());
  CHECK(selection.position == 77);
  CHECK(clear_one(selection) == selection);
}

TEST_CASE("Selection, what another run does not have is dropped") {
  Selection selection = select_tokens(pin_head(pin_token({}, 50), {3, 0}), 40, 60);
  selection.position = 99;
  selection.heads = HeadSet::of({{0, 0}, {9, 9}});
  const Selection clamped = clamp_to(selection, 45, 44, 2, 4);
  CHECK_FALSE(clamped.token);
  CHECK_FALSE(clamped.head);
  CHECK(clamped.position == 43);
  CHECK(clamped.tokens == TokenRange{40, 45});
  CHECK(clamped.heads == HeadSet::of({{0, 0}}));
  CHECK_FALSE(clamp_to(selection, 10, 0, 2, 4).tokens);
  CHECK_FALSE(clamp_to(selection, 10, 0, 2, 4).position);
}

TEST_CASE("SelectionHistory, goes back and forward over gestures") {
  SelectionHistory history;
  CHECK_FALSE(history.can_go_back());
  history.push(pin_token({}, 1));
  history.push(pin_token({}, 2));
  history.push(pin_token({}, 2));
  history.back();
  CHECK(history.current().token == 1);
  CHECK(history.can_go_forward());
  history.back();
  history.back();
  CHECK(history.current() == Selection{});
  history.forward();
  history.forward();
  history.forward();
  CHECK(history.current().token == 2);
}

TEST_CASE("SelectionHistory, a new gesture forgets what was ahead") {
  SelectionHistory history;
  history.push(pin_token({}, 1));
  history.push(pin_token({}, 2));
  history.back();
  history.push(pin_token({}, 3));
  CHECK_FALSE(history.can_go_forward());
  history.back();
  CHECK(history.current().token == 1);
}

TEST_CASE("SelectionHistory, playing changes the entry and adds none") {
  SelectionHistory history;
  history.push(pin_token({}, 1));
  for (std::int32_t position = 0; position < 100; ++position) {
    Selection moved = history.current();
    moved.position = position;
    history.replace(moved);
  }
  CHECK(history.current().position == 99);
  history.back();
  CHECK(history.current() == Selection{});
}

TEST_CASE("SelectionHistory, forgets the oldest beyond its depth") {
  SelectionHistory history;
  for (std::int32_t i = 0; i < 1000; ++i) history.push(pin_token({}, i));
  std::size_t entries = 1;
  for (; history.can_go_back(); history.back()) ++entries;
  CHECK(entries == SelectionHistory::kDepth);
  CHECK(history.current().token == 1000 - 256);
}
