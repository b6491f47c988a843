#include "app/gui/panels/kernel_colors.hpp"

#include <array>

namespace app::gui {

Role role_of(view::KernelClass kernel_class) {
  switch (kernel_class) {
    case view::KernelClass::projection:
      return Role::kernel_projection;
    case view::KernelClass::attention:
      return Role::kernel_attention;
    case view::KernelClass::mlp:
      return Role::kernel_mlp;
    case view::KernelClass::head:
      return Role::kernel_head;
    case view::KernelClass::other:
      break;
  }
  return Role::sync;
}

ImU32 ink_on(Color box) {
  const Color dark = hex(0x0A0D12), light = hex(0xFFFFFF);
  return to_u32(contrast(box, dark) >= contrast(box, light) ? dark : light);
}

void KernelColors::update(const view::RunSnapshot& run) {
  if (run.run_id() != run_id_) {
    run_id_ = run.run_id();
    operations_.clear();
    kernels_.clear();
    for (const std::string& name : run.run().operations) operations_.push_back(view::class_of_kernel(name));
  }
  // A GPU's kernels are named as they are first seen.
  while (const std::string* const name = run.kernel_name(static_cast<std::int32_t>(kernels_.size()))) {
    kernels_.push_back(view::class_of_kernel(*name));
  }
}

view::KernelClass KernelColors::at(const std::vector<view::KernelClass>& classes, std::int16_t index) {
  const bool known = index >= 0 && static_cast<std::size_t>(index) < classes.size();
  return known ? classes[static_cast<std::size_t>(index)] : view::KernelClass::other;
}

void draw_kernel_legend(Ui& ui, ImDrawList& list, float left, float right, float y) {
  constexpr std::array kClasses{view::KernelClass::head, view::KernelClass::mlp, view::KernelClass::attention,
                                view::KernelClass::projection};
  const float side = ui.px(10);
  for (const view::KernelClass kernel_class : kClasses) {
    const char* name = view::name_of(kernel_class);
    const float text = label_width(ui, name, Face::ui, text_size::kCaption);
    const float start = right - text - side - ui.px(5);
    if (start < left) return;
    const ImVec2 low{start, y + ui.px(2)};
    list.AddRectFilled(low, {low.x + side, low.y + side}, ui.u32(role_of(kernel_class)), ui.px(2));
    label_at(ui, list, {start + side + ui.px(5), y}, name, Role::text2, Face::ui, text_size::kCaption);
    right = start - ui.px(12);
  }
}

}  // namespace app::gui
