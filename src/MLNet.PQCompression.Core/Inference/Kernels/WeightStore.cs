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
    public int Reserve(CodedPanels panels, long bytes)
    {
        int start = _length;
        _length = checked((int)((start + bytes + Alignment - 1) & -Alignment));
        _panels.Add(panels);
        return start;
    }

    /// <summary>Makes the block and has every weight write its part.</summary>
    public void Fill()
    {
        _block = GC.AllocateUninitializedArray<byte>(checked(_length + Alignment), pinned: true);
        fixed (byte* block = _block)
        {
            nint start = ((nint)block + Alignment - 1) & ~(nint)(Alignment - 1);
            foreach (CodedPanels panels in _panels)
                panels.Fill((byte*)start);
        }
        _panels.Clear();
    }
}
