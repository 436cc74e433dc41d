// Custom ops with any options. The first byte chooses the op; bit 7 says that the rest are its
// options as they stand. Otherwise they describe a map, entry by entry, which is encoded, and
// bytes of it that are then changed: so most inputs get past the first checks.
#include <algorithm>
#include <cstring>
#include <iterator>
#include <string>
#include <vector>

#include "graph/builder.h"
#include "runtime/session.h"

namespace edge {
namespace {

constexpr DType f32 = DType::kFloat32, i16 = DType::kInt16, i32 = DType::kInt32;
constexpr DType u32 = DType::kUInt32, u64 = DType::kUInt64;

struct Subject {
  const char* name;
  int version;
  std::vector<std::pair<DType, Shape>> inputs;
  std::vector<DType> outputs;
};

const Subject kSubjects[] = {
    {"TFLite_Detection_PostProcess",
     1,
     {{f32, {1, 6, 4}}, {f32, {1, 6, 3}}, {f32, {6, 4}}},
     {f32, f32, f32, f32}},
    {"PosenetDecoderOp",
     1,
     {{f32, {1, 3, 4, 17}}, {f32, {1, 3, 4, 34}}, {f32, {1, 3, 4, 64}}},
     {f32, f32, f32, f32}},
    {"Landmarks2TransformMatrix", 2, {{f32, {1, 9, 3}}}, {f32}},
    {"TransformLandmarks", 2, {{f32, {1, 9, 3}}, {f32, {1, 4, 4}}}, {f32}},
    {"TransformTensorBilinear", 2, {{f32, {1, 5, 6, 3}}, {f32, {1, 4, 4}}}, {f32}},
    {"MaxPoolingWithArgmax2D", 1, {{f32, {1, 5, 6, 3}}}, {f32, f32}},
    {"MaxUnpooling2D", 1, {{f32, {1, 5, 6, 3}}, {f32, {1, 5, 6, 3}}}, {f32}},
    {"LiteRtMaxUnpooling2D", 1, {{f32, {1, 5, 6, 3}}, {i32, {1, 5, 6, 3}}}, {f32}},
    {"AudioSpectrogram", 1, {{f32, {40, 2}}}, {f32}},
    {"Mfcc", 1, {{f32, {1, 2, 17}}, {i32, {}}}, {f32}},
    {"SignalWindow", 1, {{i16, {2, 8}}, {i16, {8}}}, {i16}},
    {"SignalFftAutoScale", 1, {{i16, {8}}}, {i16, i32}},
    {"SignalRfft", 1, {{i16, {8}}}, {i16}},
    {"SignalEnergy", 1, {{i16, {18}}}, {u32}},
    {"SignalFilterBank",
     1,
     {{u32, {9}}, {i16, {8}}, {i16, {8}}, {i16, {5}}, {i16, {5}}, {i16, {5}}},
     {u64}},
    {"SignalFilterBankSquareRoot", 1, {{u64, {4}}, {i32, {}}}, {u32}},
    {"SignalFilterBankSpectralSubtraction", 1, {{u32, {4}}}, {u32, u32}},
    {"SignalPCAN", 1, {{u32, {4}}, {u32, {4}}, {i16, {125}}}, {u32}},
    {"SignalFilterBankLog", 1, {{u32, {4}}}, {i16}},
};

const char* const kKeys[] = {
    "max_detections",
    "max_classes_per_detection",
    "num_classes",
    "detections_per_class",
    "use_regular_nms",
    "nms_score_threshold",
    "nms_iou_threshold",
    "y_scale",
    "x_scale",
    "h_scale",
    "w_scale",
    "stride",
    "score_threshold",
    "nms_radius",
    "left_rotation_idx",
    "right_rotation_idx",
    "output_width",
    "output_height",
    "target_rotation_radians",
    "scale_x",
    "scale_y",
    "subset_idxs",
    "shift",
    "fft_length",
    "start_index",
    "end_index",
    "num_channels",
    "smoothing",
    "alternate_smoothing",
    "one_minus_smoothing",
    "alternate_one_minus_smoothing",
    "min_signal_remaining",
    "smoothing_bits",
    "spectral_subtraction_bits",
    "clamping",
    "snr_shift",
    "window_size",
    "magnitude_squared",
    "upper_frequency_limit",
    "lower_frequency_limit",
    "filterbank_channel_count",
    "dct_coefficient_count",
    "input_correction_bits",
    "output_scale",
};

// The input, byte by byte; zeros behind its end.
struct Script {
  const uint8_t* at;
  const uint8_t* end;
  uint8_t next() { return at < end ? *at++ : 0; }
};

uint64_t number(Script& in) {
  constexpr int64_t kEnds[] = {-1, INT32_MIN, INT32_MAX, INT64_MAX, 1 << 16, 1 << 20, 255, 4096};
  const uint8_t first = in.next();
  if (first < 240) return first % 64;  // most options are small
  if (first < 250) return static_cast<uint64_t>(kEnds[first % std::size(kEnds)]);
  uint64_t bits = 0;
  for (int i = 0; i < 8; ++i) bits = bits << 8 | in.next();
  return bits;
}

// A FlexBuffers map with slots of 8 bytes.
class Encoder {
 public:
  std::vector<uint8_t> map(Script& in) {
    std::vector<size_t> keys;
    const size_t size = in.next() % 48;
    std::vector<uint64_t> values, targets;
    std::vector<uint8_t> types;
    for (size_t i = 0; i < size; ++i) {
      // All keys in a row, so that few entries make a whole set.
      const char* key = kKeys[(in.next() + i) % std::size(kKeys)];
      keys.push_back(bytes_.size());
      bytes_.insert(bytes_.end(), key, key + std::strlen(key) + 1);
      const uint8_t type = in.next();
      const bool vector = type % 8 == 7 || std::strcmp(key, "subset_idxs") == 0;
      uint64_t value = number(in), target = 0;
      if (vector) {
        const size_t count = value % 8;
        put(count);
        target = bytes_.size();
        for (size_t k = 0; k < count; ++k) put(number(in));
      } else if (type % 8 == 6) {
        const double real = static_cast<double>(value) / 16;
        std::memcpy(&value, &real, sizeof value);
      }
      values.push_back(value);
      targets.push_back(target);
      types.push_back(static_cast<uint8_t>((vector ? 11 : type % 8 == 6 ? 3 : 1) << 2 | 3));
    }
    put(size);
    const size_t key_vector = bytes_.size();
    for (size_t key : keys) put(bytes_.size() - key);
    put(bytes_.size() - key_vector);
    put(8);
    put(size);
    const size_t start = bytes_.size();
    for (size_t i = 0; i < size; ++i) put(targets[i] ? bytes_.size() - targets[i] : values[i]);
    bytes_.insert(bytes_.end(), types.begin(), types.end());
    put(bytes_.size() - start);
    bytes_.push_back(9 << 2 | 3);
    bytes_.push_back(8);
    while (in.at < in.end) {
      const size_t at = in.next() << 8 | in.next();
      bytes_[bytes_.size() - 1 - at % bytes_.size()] = in.next();
    }
    return bytes_;
  }

 private:
  void put(uint64_t value) {
    for (int i = 0; i < 8; ++i) bytes_.push_back(static_cast<uint8_t>(value >> 8 * i));
  }
  std::vector<uint8_t> bytes_;
};

void run(const Subject& subject, const std::vector<uint8_t>& options) {
  GraphBuilder b;
  std::vector<int> inputs, outputs;
  for (size_t i = 0; i < subject.inputs.size(); ++i) {
    const auto& [type, shape] = subject.inputs[i];
    if (i == 1 && std::strcmp(subject.name, "Mfcc") == 0) {
      inputs.push_back(b.constant<int32_t>(type, shape, {16000}));
      continue;
    }
    // Indices are constants of the filter bank: 0, 1, 2 ... is a valid choice for all of them.
    if (i >= 3 && std::strcmp(subject.name, "SignalFilterBank") == 0) {
      inputs.push_back(b.constant<int16_t>(type, shape, {0, 1, 2, 3, 4}));
    } else {
      inputs.push_back(b.input(type, shape));
    }
  }
  for (DType type : subject.outputs) outputs.push_back(b.value(type, {}));
  b.node(opcode::kCUSTOM, inputs, outputs);
  for (int o : outputs) b.output(o);
  Node& node = b.graph().nodes[0];
  node.custom_name = subject.name;
  node.version = subject.version;
  node.custom_options = {options.data(), options.size()};
  const auto plan = Plan::build(b.model(), 0, {});
  if (!plan.ok() || (*plan)->arena_bytes() > 1 << 22) return;
  const auto session = Session::create(*plan, 1);
  if (!session.ok()) return;
  for (int input : (*plan)->graph().inputs) {
    const TensorSpec& s = (*plan)->graph().values[static_cast<size_t>(input)].spec;
    const size_t bytes = static_cast<size_t>(s.shape.count()) * dtype_size(s.dtype);
    for (size_t i = 0; i < bytes; ++i) {
      (*session)->data(input)[i] = options.empty() ? 1 : options[i * 7 % options.size()];
    }
  }
  (void)(*session)->run();
}

}  // namespace
}  // namespace edge

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  edge::Script in{data, data + size};
  const uint8_t first = in.next();
  const edge::Subject& subject = edge::kSubjects[(first & 127) % std::size(edge::kSubjects)];
  edge::run(subject, first & 128 ? std::vector<uint8_t>(in.at, in.end) : edge::Encoder().map(in));
  return 0;
}
