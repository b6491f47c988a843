#include "app/view/row_layout.hpp"

#include <catch2/catch_test_macros.hpp>

using app::view::layout_rows;
using app::view::RowLayout;
using app::view::RowLayoutOptions;

namespace {

RowLayoutOptions shape(std::int32_t layers, std::int32_t kv_heads, std::int32_t height) {
  RowLayoutOptions options;
  options.layers = layers;
  options.kv_heads = kv_heads;
  options.height = height;
  return options;
}

// Pixels to rows and heads, both ways, at the first and last pixel of every row.
void check_mapping(const RowLayout& layout) {
  for (std::size_t i = 0; i < layout.rows.size(); ++i) {
    const auto& row = layout.rows[i];
    REQUIRE(layout.row_at(row.y) == static_cast<std::int32_t>(i));
    REQUIRE(layout.row_at(row.y + row.height - 1) == static_cast<std::int32_t>(i));
    REQUIRE(layout.head_at(row.y) == row.first_head);
    REQUIRE(layout.head_at(row.y + row.height - 1) >= row.first_head);
    REQUIRE(layout.head_at(row.y + row.height - 1) < row.first_head + row.head_count);
    REQUIRE(layout.row_of(row.first_head + row.head_count - 1) == static_cast<std::int32_t>(i));
  }
  CHECK(layout.row_at(-1) == -1);
  CHECK(layout.row_at(layout.height) == -1);
  CHECK(layout.head_at(layout.height) == -1);
  CHECK(layout.row_of(-1) == -1);
}

}  // namespace

TEST_CASE("layout_rows, heads of a layer stand together with a gap between layers") {
  const RowLayout layout = layout_rows(shape(3, 2, 3 * 2 * 4 + 2));
  REQUIRE(layout.rows.size() == 6);
  CHECK(layout.height == 26);
  CHECK(layout.rows[1].y == 4);
  CHECK(layout.rows[2].y == 9);
  CHECK(layout.rows[2].layer == 1);
  check_mapping(layout);
}

TEST_CASE("layout_rows, rows of a large model are one pixel and may need more height than there is") {
  auto options = shape(36, 8, 100);
  CHECK(layout_rows(options).height == 288 + 35);
  options.height = 412;
  options.expanded_layer = 7;
  options.expanded_row_height = 12;
  const RowLayout layout = layout_rows(options);
  CHECK(layout.height == 280 + 35 + 8 * 12);
  CHECK(layout.rows[7 * 8].height == 12);
  CHECK(layout.rows[8 * 8].height == 1);
  check_mapping(layout);
}

TEST_CASE("layout_rows, one row per layer still opens the expanded layer") {
  auto options = shape(4, 3, 400);
  options.row_per_layer = true;
  options.expanded_layer = 2;
  options.max_row_height = 40;
  const RowLayout layout = layout_rows(options);
  REQUIRE(layout.rows.size() == 6);
  CHECK(layout.rows[0].head_count == 3);
  CHECK(layout.rows[2].head_count == 1);
  CHECK(layout.rows[5].first_head == 9);
  CHECK(layout.head_at(layout.rows[0].y + layout.rows[0].height - 1) == 2);
  check_mapping(layout);
}

TEST_CASE("layout_rows, sorts rows by a key per head, and layers by the mean of theirs") {
  const std::vector<double> keys = {4, 1, 3, 2};
  auto options = shape(2, 2, 40);
  options.sort_keys = keys;
  RowLayout layout = layout_rows(options);
  std::vector<std::int32_t> heads;
  for (const auto& row : layout.rows) heads.push_back(row.first_head);
  CHECK(heads == std::vector<std::int32_t>{1, 3, 2, 0});
  CHECK(layout.height == 40);
  check_mapping(layout);
  const std::vector<double> layer_keys = {5, 5, 1, 2};
  options.sort_keys = layer_keys;
  options.row_per_layer = true;
  CHECK(layout_rows(options).rows[0].layer == 1);
}

TEST_CASE("layout_rows, of nothing is empty") {
  const RowLayout layout = layout_rows({});
  CHECK(layout.rows.empty());
  CHECK(layout.height == 0);
  CHECK(layout.row_at(0) == -1);
}
