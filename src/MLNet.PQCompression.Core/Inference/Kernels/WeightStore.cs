using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference.Kernels;

/// <summary>Pinned memory for the coded weights of a plan, one block for all of them. Weights ask for their places first; <see cref="Fill"/> makes the block.</summary>
/// <remarks>One block, because after a few MB of large objects every further one would begin with a collection.</remarks>
internal sealed unsafe class WeightStore
{
    private const int Alignment = 64;

    private readonly List<CodedPanels> _panels = [];
    private byte[] _block = [];
    private int _length;

    /// <summary>Sets bytes aside and returns where they begin.</summary>
    /// <exception cref="InvalidModelException">All together are more than fit an array.</exception>
    public int Reserve(CodedPanels panels, long bytes)
    {
        int start = _length;
        long end = (start + bytes + Alignment - 1) & -Alignment;
        _length = end <= Array.MaxLength - Alignment
            ? (int)end
            : throw new InvalidModelException($"The model's compressed weights take more than the {Array.MaxLength} bytes of an array.");
        _panels.Add(panels);
        return start;
    }

    /// <summary>Makes the block and has every weight write its part.</summary>
    public void Fill()
    {
        _block = GC.AllocateUninitializedArray<byte>(_length + Alignment, pinned: true);
        fixed (byte* block = _block)
        {
            nint start = ((nint)block + Alignment - 1) & ~(nint)(Alignment - 1);
            foreach (CodedPanels panels in _panels)
                panels.Fill((byte*)start);
        }
        _panels.Clear();
    }
}
