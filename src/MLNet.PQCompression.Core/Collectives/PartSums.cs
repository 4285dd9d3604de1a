using System.Numerics;
using System.Numerics.Tensors;
using System.Runtime.InteropServices;

namespace MLNet.PQCompression.Collectives;

/// <summary>Sums over some items: arrays that are added value by value.</summary>
internal interface ISums
{
    /// <summary>Those in float32.</summary>
    IEnumerable<float[]> Singles { get; }

    /// <summary>Those in float64, counts among them.</summary>
    IEnumerable<double[]> Doubles { get; }
}

/// <summary>Some arrays that are sums.</summary>
internal sealed record ArraySums(IReadOnlyList<float[]> Singles, IReadOnlyList<double[]> Doubles) : ISums
{
    IEnumerable<float[]> ISums.Singles => Singles;

    IEnumerable<double[]> ISums.Doubles => Doubles;
}

/// <summary>Adds the sums of all parts along a binary tree over them, of which each rank holds some branches: the order does not depend on the number of ranks.</summary>
/// <param name="parts">The parts.</param>
/// <remarks>A rank keeps one sum for each level of the tree at most. Each other than the first sends one sum for each of its branches: one, where the number of ranks is a power of two.</remarks>
internal sealed class PartSums<T>(WorkParts parts)
    where T : class, ISums
{
    private const int ChunkBytes = 1 << 20;
    private readonly Stack<(int First, int End, T Sums)> _branches = [];

    /// <summary>Takes the sums of a part over; this rank's parts come in order.</summary>
    public void Add(int part, T sums)
    {
        (int First, int End, T Sums) branch = (part, part + 1, sums);
        while (_branches.TryPeek(out (int First, int End, T Sums) left) && left.End == branch.First && left.End - left.First == branch.End - branch.First && left.First % (2 * (left.End - left.First)) == 0)
        {
            _branches.Pop();
            Add(left.Sums.Singles, branch.Sums.Singles);
            Add(left.Sums.Doubles, branch.Sums.Doubles);
            branch = (left.First, branch.End, left.Sums);
        }
        _branches.Push(branch);
    }

    /// <summary>The sums of all parts, on rank 0; the others get null.</summary>
    public T? Finish()
    {
        Dictionary<int, T> own = _branches.ToDictionary(b => b.First, b => b.Sums);
        return Branch(0, parts.Count, own);
    }

    /// <summary>The sums of all parts, on all ranks.</summary>
    /// <param name="target">Receives them; of the form of a part's sums.</param>
    public void FinishForAll(T target)
    {
        T? total = Finish();
        foreach ((float[] own, int i) in target.Singles.Select((a, i) => (a, i)))
            Broadcast(total?.Singles.ElementAt(i), own);
        foreach ((double[] own, int i) in target.Doubles.Select((a, i) => (a, i)))
            Broadcast(total?.Doubles.ElementAt(i), own);
    }

    /// <summary>The sum of a branch of the tree, where this rank holds its first part.</summary>
    private T? Branch(int first, int end, Dictionary<int, T> own)
    {
        if (parts.Owner(first) == parts.Owner(end - 1))
            return parts.Owner(first) == parts.Ranks.Rank ? own[first] : null;
        int middle = (first + end) / 2, to = parts.Owner(first), from = parts.Owner(middle);
        T? left = Branch(first, middle, own), right = Branch(middle, end, own);
        if (from == to && left is not null)
        {
            Add(left.Singles, right!.Singles);
            Add(left.Doubles, right.Doubles);
        }
        else if (left is not null && parts.Ranks.Rank == to)
        {
            Receive(left.Singles, from);
            Receive(left.Doubles, from);
        }
        else if (right is not null)
        {
            Send(right.Singles, to);
            Send(right.Doubles, to);
        }
        return parts.Ranks.Rank == to ? left : null;
    }

    private static void Add<TNumber>(IEnumerable<TNumber[]> targets, IEnumerable<TNumber[]> others)
        where TNumber : unmanaged, IAdditionOperators<TNumber, TNumber, TNumber>, IAdditiveIdentity<TNumber, TNumber>
    {
        foreach ((TNumber[] target, TNumber[] other) in targets.Zip(others))
            TensorPrimitives.Add<TNumber>(target, other, target);
    }

    private void Send<TNumber>(IEnumerable<TNumber[]> arrays, int to)
        where TNumber : unmanaged
    {
        foreach (TNumber[] array in arrays)
            foreach ((int start, int length) in Chunks(array))
                parts.Ranks.Send(MemoryMarshal.AsBytes(array.AsSpan(start, length)), to);
    }

    private void Receive<TNumber>(IEnumerable<TNumber[]> targets, int from)
        where TNumber : unmanaged, IAdditionOperators<TNumber, TNumber, TNumber>, IAdditiveIdentity<TNumber, TNumber>
    {
        foreach (TNumber[] target in targets)
        {
            var received = new TNumber[Math.Min(target.Length, ChunkBytes / Marshal.SizeOf<TNumber>())];
            foreach ((int start, int length) in Chunks(target))
            {
                parts.Ranks.Receive(MemoryMarshal.AsBytes(received.AsSpan(0, length)), from);
                TensorPrimitives.Add(target.AsSpan(start, length), received.AsSpan(0, length), target.AsSpan(start, length));
            }
        }
    }

    private void Broadcast<TNumber>(TNumber[]? total, TNumber[] target)
        where TNumber : unmanaged
    {
        total?.CopyTo(target, 0);
        foreach ((int start, int length) in Chunks(target))
            parts.Ranks.Broadcast(MemoryMarshal.AsBytes(target.AsSpan(start, length)), 0);
    }

    private static IEnumerable<(int Start, int Length)> Chunks<TNumber>(TNumber[] array)
        where TNumber : unmanaged
    {
        int most = ChunkBytes / Marshal.SizeOf<TNumber>();
        for (int start = 0; start < array.Length; start += most)
            yield return (start, Math.Min(most, array.Length - start));
    }
}
