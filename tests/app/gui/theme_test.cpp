#include "app/gui/theme/theme.hpp"

#include <catch2/catch_test_macros.hpp>

using namespace app::gui;

namespace {

std::vector<Theme> all_themes() {
  std::vector<Theme> themes;
  for (const auto kind : {ThemeKind::dark, ThemeKind::light}) {
    for (const auto palette : {Palette::blue_orange, Palette::violet_yellow})
      themes.push_back(make_theme(kind, palette));
  }
  return themes;
}

double closest(const Theme& theme, std::initializer_list<Role> roles, Vision vision) {
  double least = 10;
  for (const Role first : roles) {
    for (const Role second : roles) {
      if (first < second)
        least = std::min(least, distance(to_oklab(theme[first], vision), to_oklab(theme[second], vision)));
    }
  }
  return least;
}

}  // namespace

TEST_CASE("Text stands out from its panel as far as the design asks") {
  for (const Theme& theme : all_themes()) {
    CAPTURE(name_of(theme.kind), name_of(theme.palette));
    CHECK(contrast(theme[Role::text], theme[Role::panel]) >= 15);
    CHECK(contrast(theme[Role::text2], theme[Role::panel]) >= 8);
    CHECK(contrast(theme[Role::text3], theme[Role::panel]) >= 5);
    for (const Role role : {Role::accent, Role::doomed_text, Role::warning, Role::error}) {
      CHECK(contrast(theme[role], theme[Role::panel]) >= 4.5);
    }
    CHECK(contrast(theme[Role::on_accent], theme[Role::accent]) >= 4.5);
  }
}

TEST_CASE("The states of the cache differ for every kind of colour vision") {
  for (const Theme& theme : all_themes()) {
    for (const Vision vision : {Vision::full, Vision::protanopia, Vision::deuteranopia, Vision::tritanopia}) {
      CAPTURE(name_of(theme.kind), name_of(theme.palette), static_cast<int>(vision));
      CHECK(closest(theme, {Role::kept, Role::window, Role::doomed, Role::evicted}, vision) >= 0.15);
      CHECK(closest(theme, {Role::only_a, Role::only_b, Role::both_keep}, vision) >= 0.10);
    }
  }
}

TEST_CASE("Red and green as states would be refused by the same measure") {
  const Oklab red = to_oklab(hex(0xB05050), Vision::deuteranopia),
              green = to_oklab(hex(0x7A7A35), Vision::deuteranopia);
  CHECK(distance(red, green) < 0.15);
}

TEST_CASE("Every role has a colour in every theme") {
  for (const Theme& theme : all_themes()) {
    for (const Color color : theme.colors) CHECK(color.alpha == 255);
    CHECK(theme[Role::lane_step] != Color{});
  }
}

TEST_CASE("Themes and palettes are found by the names they are saved under") {
  CHECK(theme_named(name_of(ThemeKind::light)) == ThemeKind::light);
  CHECK(palette_named(name_of(Palette::violet_yellow)) == Palette::violet_yellow);
  CHECK_FALSE(theme_named("Dark"));
  CHECK_FALSE(palette_named(""));
}

TEST_CASE("Mixing ends at its ends") {
  CHECK(mix(hex(0x000000), hex(0xFFFFFF), 0) == hex(0x000000));
  CHECK(mix(hex(0x000000), hex(0xFFFFFF), 1) == hex(0xFFFFFF));
  CHECK(mix(hex(0x000000), hex(0xFFFFFF), 2) == hex(0xFFFFFF));
  CHECK(contrast(hex(0x000000), hex(0xFFFFFF)) > 20.9);
}
