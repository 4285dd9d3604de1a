using System.Runtime.InteropServices;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Numerics;

namespace MLNet.PQCompression.Compression;

/// <summary>
/// Activations of all images, kept as float16 until they have been read for the last time. The error of a value is 2⁻¹² of it at most, some thousandth of what quantization does to it.
/// </summary>
/// <remarks>
/// They lie in blocks of one size outside the collector's heap: what is given back is used again at once, so the store never takes more than what was ever alive together, and the collector has only
/// the little to look after that evaluation makes. Not safe for use by several threads at once.
/// </remarks>
internal sealed unsafe class ActivationStore : IDisposable
{
    /// <summary>Values in a block: 4 KiB, since detectors have many values of a few numbers for each image.</summary>
    private const int BlockValues = 1 << 11;

    /// <summary>Blocks that a thread converts at a time.</summary>
    private const int BlocksPerRun = 16;

    private const int BlocksPerSlab = 4096;

    private readonly WorkerPool? _workers;
    private readonly List<nint> _slabs = [];
    private readonly Stack<nint> _free = [];

    /// <summary>An empty store.</summary>
    /// <param name="workers">The threads to share, or null for the caller's alone.</param>
    public ActivationStore(WorkerPool? workers) => _workers = workers;

    /// <summary>Bytes taken from the system.</summary>
    public long Bytes => (long)_slabs.Count * BlocksPerSlab * BlockValues * sizeof(ushort);

    /// <summary>Keeps a copy of a value.</summary>
    public StoredActivation Add(Activation value)
    {
        if (value is ForeignValue foreign)
            return new(this, value.Shape, [], 1, foreign);
        int count = checked((int)value.Shape.Count), blocks = (count + BlockValues - 1) / BlockValues;
        var own = new nint[blocks];
        for (int i = 0; i < blocks; i++)
            own[i] = TakeBlock();
        float largest = Fill(1);
        float scale = Scale(largest);
        if (scale != 1)
            Fill(scale);
        Garbage.Collect();
        return new(this, value.Shape, own, scale);

        float Fill(float scale)
        {
            var largest = new float[blocks];
            ForEachBlock(blocks, i =>
            {
                ReadOnlySpan<float> source = value.Span[(i * BlockValues)..Math.Min(count, (i + 1) * BlockValues)];
                largest[i] = HalfFloats.FromSingle(source, scale, new((void*)own[i], source.Length));
            });
            return largest.Aggregate(0f, MathF.Max);
        }
    }

    /// <summary>Gives all memory back; values stored here must not be read any more.</summary>
    public void Dispose()
    {
        foreach (nint slab in _slabs)
            NativeMemory.Free((void*)slab);
        _slabs.Clear();
        _free.Clear();
    }

    internal Activation Load(TensorShape shape, nint[] blocks, float scale)
    {
        Garbage.Collect();
        var value = new Activation(shape);
        ForEachBlock(blocks.Length, i =>
        {
            Span<float> target = value.Span[(i * BlockValues)..Math.Min(value.Span.Length, (i + 1) * BlockValues)];
            HalfFloats.ToSingle(new((void*)blocks[i], target.Length), 1 / scale, target);
        });
        return value;
    }

    internal void Release(nint[] blocks)
    {
        foreach (nint block in blocks)
            _free.Push(block);
    }

    /// <summary>The power of two that brings values beyond float16, or mostly below its normal range, into it; else 1.</summary>
    private static float Scale(float largest) =>
        largest == 0 || !float.IsFinite(largest) || Math.ILogB(largest) is > -4 and < 15 ? 1 : MathF.ScaleB(1, Math.Clamp(14 - Math.ILogB(largest), -126, 126));

    private void ForEachBlock(int blocks, Action<int> work) => _workers.RunParts((blocks + BlocksPerRun - 1) / BlocksPerRun, run =>
    {
        for (int i = run * BlocksPerRun; i < Math.Min(blocks, (run + 1) * BlocksPerRun); i++)
            work(i);
    });

    private nint TakeBlock()
    {
        if (_free.TryPop(out nint block))
            return block;
        nint slab = (nint)NativeMemory.Alloc((nuint)BlocksPerSlab * BlockValues * sizeof(ushort));
        _slabs.Add(slab);
        for (int i = BlocksPerSlab - 1; i > 0; i--)
            _free.Push(slab + i * BlockValues * sizeof(ushort));
        return slab;
    }
}

/// <summary>A value of one batch in an <see cref="ActivationStore"/>.</summary>
internal sealed class StoredActivation(ActivationStore store, TensorShape shape, nint[] blocks, float scale, ForeignValue? foreign = null)
{
    private nint[]? _blocks = blocks;

    /// <summary>The value's shape.</summary>
    public TensorShape Shape => shape;

    /// <summary>The value, as float32; one that is no tensor of real numbers is the one that was kept.</summary>
    public Activation Load() => foreign ?? store.Load(shape, _blocks ?? throw new InvalidOperationException("The activation has been released."), scale);

    /// <summary>Gives the memory back to the store; doing so again does nothing.</summary>
    public void Release()
    {
        if (_blocks is { } own)
            store.Release(own);
        _blocks = null;
    }
}
