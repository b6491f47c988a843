#include "app/view/token_viewport.hpp"

#include <catch2/catch_test_macros.hpp>

using app::view::TokenRange;
using app::view::TokenViewport;

namespace {

TokenViewport over(std::int32_t total) {
  TokenViewport view;
  view.set_total(total);
  return view;
}

}  // namespace

TEST_CASE("TokenViewport, shows everything until it is told otherwise, and again after a reset") {
  TokenViewport view = over(1000);
  CHECK(view.whole());
  CHECK(view.visible() == TokenRange{0, 1000});
  view.set_total(1200);
  CHECK(view.visible() == TokenRange{0, 1200});
  view.zoom(4, 0.5);
  CHECK_FALSE(view.whole());
  view.reset();
  CHECK(view.visible() == TokenRange{0, 1200});
}

TEST_CASE("TokenViewport, zooming keeps the token under the pointer") {
  TokenViewport view = over(1000);
  view.zoom(2, 0.25);
  CHECK(view.visible() == TokenRange{125, 625});  // token 250 stays a quarter from the left
  view.zoom(2, 1);
  CHECK(view.visible() == TokenRange{375, 625});
  view.zoom(0.5, 1);
  CHECK(view.visible() == TokenRange{125, 625});
}

TEST_CASE("TokenViewport, zooming out ends with everything, zooming in with a few tokens") {
  TokenViewport view = over(1000);
  for (int i = 0; i < 100; ++i) view.zoom(1.25, 0.3);
  CHECK(view.visible().size() == 16);
  for (int i = 0; i < 100; ++i) view.zoom(1 / 1.25, 0.3);
  CHECK(view.whole());
  CHECK(view.visible() == TokenRange{0, 1000});
}

TEST_CASE("TokenViewport, panning stops at the ends and adds up fractions") {
  TokenViewport view = over(1000);
  view.pan(50);
  CHECK(view.whole());
  view.show({400, 500});
  CHECK(view.visible() == TokenRange{400, 500});
  for (int i = 0; i < 10; ++i) view.pan(0.3);
  CHECK(view.visible() == TokenRange{403, 503});
  view.pan(-1e6);
  CHECK(view.visible() == TokenRange{0, 100});
  view.pan(1e6);
  CHECK(view.visible() == TokenRange{900, 1000});
}

TEST_CASE("TokenViewport, follows a growing sequence while its end is in view, and only then") {
  TokenViewport view = over(1000);
  view.show({900, 1000});
  view.set_total(1003);
  CHECK(view.visible() == TokenRange{903, 1003});
  view.pan(-50);
  view.set_total(1100);
  CHECK(view.visible() == TokenRange{853, 953});
}

TEST_CASE("TokenViewport, a range beyond the sequence or of few tokens is still a view") {
  TokenViewport view = over(1000);
  view.show({500, 501});
  CHECK(view.visible() == TokenRange{493, 509});
  view.show({990, 1100});
  CHECK(view.visible() == TokenRange{890, 1000});
  view.show({-500, 9000});
  CHECK(view.visible() == TokenRange{0, 1000});
}

TEST_CASE("TokenViewport, short, empty and shrinking sequences have no other view than all") {
  TokenViewport view = over(0);
  view.zoom(2, 0.5);
  view.pan(1);
  CHECK(view.visible() == TokenRange{0, 0});
  view.set_total(5);
  view.zoom(2, 0.5);
  CHECK(view.visible() == TokenRange{0, 5});
  TokenViewport shrunk = over(1000);
  shrunk.show({900, 1000});
  shrunk.set_total(50);
  CHECK(shrunk.visible() == TokenRange{0, 50});
}
