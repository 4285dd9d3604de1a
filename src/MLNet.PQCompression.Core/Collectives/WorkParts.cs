using System.Runtime.InteropServices;

namespace MLNet.PQCompression.Collectives;

/// <summary>Work over many items, cut into a number of parts that does not depend on the number of ranks. Each rank has some that follow each other.</summary>
/// <remarks>What is found of a part depends on the part alone, and <see cref="PartSums{T}"/> adds parts in a fixed order: so the result is the same for any number of ranks.</remarks>
internal sealed class WorkParts
{
    /// <summary>Parts of shared work, a power of two; as many ranks can take part.</summary>
    public const int Shared = 16;

    private readonly ICollective _ranks;

    /// <summary>Cuts work.</summary>
    /// <param name="ranks">Who shares it, or null for work in one part, done here.</param>
    /// <exception cref="ArgumentException">There are more ranks than parts.</exception>
    public WorkParts(ICollective? ranks)
    {
        (_ranks, IsShared, Count) = (ranks ?? new SingleRank(), ranks is not null, ranks is null ? 1 : Shared);
        if (_ranks.Size > Count)
            throw new ArgumentException($"There are {_ranks.Size} ranks, and work is cut into {Count} parts; start {Count} ranks at most, with more threads each.", nameof(ranks));
        (First, End) = (FirstOf(_ranks.Rank), FirstOf(_ranks.Rank + 1));
    }

    /// <summary>Who shares the work.</summary>
    public ICollective Ranks => _ranks;

    /// <summary>Whether it is cut as work of several ranks is, be it that one rank does all of it.</summary>
    public bool IsShared { get; }

    /// <summary>Whether this rank decides what is decided once.</summary>
    public bool IsFirst => _ranks.Rank == 0;

    /// <summary>How many parts there are.</summary>
    public int Count { get; }

    /// <summary>This rank's first part.</summary>
    public int First { get; }

    /// <summary>The part behind this rank's last.</summary>
    public int End { get; }

    /// <summary>The rank that has a part.</summary>
    public int Owner(int part) => ((part + 1) * _ranks.Size - 1) / Count;

    /// <summary>The items of a part: from the first up to the one behind the last.</summary>
    public (int First, int End) Range(int part, int items) => ((int)((long)items * part / Count), (int)((long)items * (part + 1) / Count));

    /// <summary>Adds whole numbers of all ranks, below 2⁵³ in sum and so exact in any order; all ranks get the sums.</summary>
    /// <param name="values">This rank's numbers, replaced by the sums.</param>
    public void Total(Span<double> values)
    {
        if (_ranks.Size == 1)
            return;
        if (!IsFirst)
            _ranks.Send(MemoryMarshal.AsBytes(values), 0);
        else
        {
            var others = new double[values.Length];
            for (int rank = 1; rank < _ranks.Size; rank++)
            {
                _ranks.Receive(MemoryMarshal.AsBytes(others.AsSpan()), rank);
                System.Numerics.Tensors.TensorPrimitives.Add(values, others, values);
            }
        }
        _ranks.Broadcast(MemoryMarshal.AsBytes(values), 0);
    }

    /// <summary>Gives all ranks bytes of rank 0, whose length the others need not know.</summary>
    /// <param name="bytes">The bytes, read on rank 0 only.</param>
    public byte[] FromFirst(Func<byte[]> bytes)
    {
        byte[] data = IsFirst ? bytes() : [];
        Span<int> length = stackalloc int[] { data.Length };
        _ranks.Broadcast(MemoryMarshal.AsBytes(length), 0);
        if (!IsFirst)
            data = new byte[length[0]];
        _ranks.Broadcast(data, 0);
        return data;
    }

    private int FirstOf(int rank) => rank * Count / _ranks.Size;
}
