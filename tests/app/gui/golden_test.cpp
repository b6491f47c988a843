// Each layout looks as it did when scripts/make_golden drew it last.
#include <catch2/catch_test_macros.hpp>

#include <algorithm>

#include "tests/app/gui/golden_scene.hpp"
#include "tests/app/gui/palette_png.hpp"
#include "tests/app/gui/picture_compare.hpp"
#include "tests/support/temp_folder.hpp"

using namespace app::gui;
using namespace gui_tests;

namespace {

// Without EGL there is no picture, which is not the same as a good one.
Image drawn(const GoldenScene& scene) {
  auto picture = draw(scene);
  if (!picture && picture.error().message.find("EGL") != std::string::npos) SKIP(picture.error().message);
  INFO((picture ? "" : picture.error().message));
  REQUIRE(picture);
  return std::move(*picture);
}

Image golden(const std::string& layout) {
  auto picture = read_palette_png(golden_path(layout));
  INFO((picture ? "" : picture.error().message));
  REQUIRE(picture);
  return std::move(*picture);
}

void check_golden(const std::string& layout) {
  const Image picture = drawn({layout});
  const Comparison comparison = compare(golden(layout), picture);
  INFO(comparison.text());
  const auto seen = std::filesystem::temp_directory_path() / ("dmscope-" + layout + "-now.png");
  if (!comparison.alike()) CHECK(write_palette_png(seen, picture));
  INFO("what was drawn: " << seen.string() << "; if the change is meant, run scripts/make_golden");
  CHECK(comparison.alike());
}

// Every pixel one to the right: what another version of a font does to a line of text, and more.
Image moved_by_a_pixel(const Image& image) {
  Image moved = image;
  for (int y = 0; y < image.height; ++y) {
    const auto row = image.rgba.begin() + static_cast<std::ptrdiff_t>(4 * image.index(0, y));
    std::copy(row, row + 4 * (image.width - 1),
              moved.rgba.begin() + static_cast<std::ptrdiff_t>(4 * image.index(1, y)));
  }
  return moved;
}

}  // namespace

TEST_CASE("Golden pictures, Inspect looks as before") {
  check_golden("inspect");
}
TEST_CASE("Golden pictures, Tune looks as before") {
  check_golden("tune");
}
TEST_CASE("Golden pictures, Profile looks as before") {
  check_golden("profile");
}
TEST_CASE("Golden pictures, Present looks as before") {
  check_golden("present");
}

TEST_CASE("Golden pictures, another font moves letters and is accepted") {
  const Comparison comparison = compare(golden("inspect"), moved_by_a_pixel(golden("inspect")));
  INFO(comparison.text());
  CHECK(comparison.different > 0);
  CHECK(comparison.alike());
}

TEST_CASE("Golden pictures, a panel that is missing is noticed") {
  GoldenScene scene{"inspect"};
  for (const char* panel : {"timeline", "kernels", "statistics", "log", "trace"})
    scene.settings.panels[std::string("inspect/") + panel] = false;
  const Comparison comparison = compare(golden("inspect"), drawn(scene));
  INFO(comparison.text());
  CHECK_FALSE(comparison.alike());
}

TEST_CASE("Golden pictures, another theme or palette is noticed") {
  GoldenScene light{"inspect"}, violet{"inspect"};
  light.settings.theme = ThemeKind::light;
  violet.settings.palette = Palette::violet_yellow;
  CHECK_FALSE(compare(golden("inspect"), drawn(light)).alike());
  CHECK_FALSE(compare(golden("inspect"), drawn(violet)).alike());
}

TEST_CASE("Golden pictures, another moment of the run is noticed") {
  const Comparison comparison = compare(golden("inspect"), drawn({"inspect", 900}));
  INFO(comparison.text());
  CHECK_FALSE(comparison.alike());
}

TEST_CASE("Golden pictures, layouts are not taken for each other") {
  for (const char* a : {"inspect", "tune", "profile", "present"}) {
    for (const char* b : {"inspect", "tune", "profile", "present"}) {
      CAPTURE(a, b);
      CHECK(compare(golden(a), golden(b)).alike() == (a == b));
    }
  }
}

TEST_CASE("Comparing pictures, another size is never alike") {
  const Image small{16, 16, std::vector<std::uint8_t>(16 * 16 * 4, 9)};
  const Image wide{32, 16, std::vector<std::uint8_t>(32 * 16 * 4, 9)};
  CHECK(compare(small, small).alike());
  CHECK_FALSE(compare(small, wide).alike());
  CHECK_FALSE(compare(Image{}, Image{}).alike());
}

TEST_CASE("Palette pictures come back, and what is no such picture is refused by name") {
  const support::TempFolder folder;
  Image image{20, 10, {}};
  for (int index = 0; index < 200; ++index) {
    const auto level = static_cast<std::uint8_t>(index / 20 * 25);
    image.rgba.insert(image.rgba.end(), {level, 40, 80, 255});
  }
  REQUIRE(write_palette_png(folder / "a.png", image));
  const auto back = read_palette_png(folder / "a.png");
  REQUIRE(back);
  CHECK(back->width == 20);
  CHECK(back->rgba == image.rgba);

  const auto bytes = encode_png(image);
  REQUIRE(bytes);
  support::write_file(folder / "rgb.png", {reinterpret_cast<const char*>(bytes->data()), bytes->size()});
  support::write_file(folder / "text.png", "not a picture");
  for (const char* name : {"rgb.png", "text.png", "none.png"}) {
    const auto refused = read_palette_png(folder / name);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().message.find(name) != std::string::npos);
  }
}
