#include "app/gui/demo/demo_script.hpp"

#include <catch2/catch_test_macros.hpp>
#include <catch2/matchers/catch_matchers_string.hpp>

using namespace app::gui;
using Catch::Matchers::ContainsSubstring;

TEST_CASE("Demo, its scenes follow each other without a gap for sixty seconds") {
  double end = 0;
  int number = 0;
  for (const DemoTiming& timing : demo_timings()) {
    CHECK(timing.begin == end);
    CHECK(timing.end > timing.begin);
    CHECK(static_cast<int>(timing.scene) == number++);
    end = timing.end;
  }
  CHECK(end == kDemoSeconds);
}

TEST_CASE("Demo, a moment belongs to the scene that has begun and not ended") {
  for (const DemoTiming& timing : demo_timings()) {
    CHECK(scene_at(timing.begin) == timing.scene);
    CHECK(scene_at((timing.begin + timing.end) / 2) == timing.scene);
    CHECK(scene_share(timing.begin) == 0);
  }
  CHECK(scene_at(kDemoSeconds) == demo_timings().back().scene);
  CHECK(scene_at(1e9) == demo_timings().back().scene);
  CHECK(scene_share(1e9) == 1);
}

TEST_CASE("Demo, captions say what was measured and nothing else") {
  DemoFacts facts;
  facts.model = "tiny";
  facts.prompt_tokens = 1234;
  facts.heads = 90;
  facts.window = 64;
  CHECK(demo_caption(DemoScene::read, facts).title == "tiny reads 1,234 tokens");
  CHECK_THAT(demo_caption(DemoScene::decode, facts).text, !ContainsSubstring("smaller"));
  facts.ratio = 3.587;
  CHECK_THAT(demo_caption(DemoScene::decode, facts).text, ContainsSubstring("3.59×"));

  CHECK_THAT(demo_caption(DemoScene::verify, facts).text, !ContainsSubstring("CR"));
  facts.verified_ratio = 5.04;
  CHECK_THAT(demo_caption(DemoScene::verify, facts).text,
             ContainsSubstring("5.04×") && !ContainsSubstring("nats"));
  facts.mean_kl = 0.2381;
  CHECK_THAT(demo_caption(DemoScene::verify, facts).text, ContainsSubstring("0.238"));
}

TEST_CASE("Demo, a preview never claims a quality") {
  DemoFacts facts;
  facts.preview_ratio = 4.2;
  facts.mean_kl = 0.1;
  const DemoCaption caption = demo_caption(DemoScene::drag, facts);
  CHECK_THAT(caption.text, ContainsSubstring("unknown") && !ContainsSubstring("nats"));
}
