// edge_bench: throughput of each kernel that this CPU runs, one thread.
namespace edge {
namespace depthwise {
void bench();
}
namespace gemm {
void bench();
}
}  // namespace edge

int main() {
  edge::gemm::bench();
  edge::depthwise::bench();
}
