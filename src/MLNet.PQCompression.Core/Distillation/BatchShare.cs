using MLNet.PQCompression.Collectives;

namespace MLNet.PQCompression.Distillation;

/// <summary>Which images of a batch a rank has: those of its parts, of which there are as many for any number of ranks.</summary>
/// <param name="ranks">The ranks, or null for a batch that one process has.</param>
public sealed class BatchShare(ICollective? ranks)
{
    private readonly WorkParts _parts = new(ranks);

    /// <summary>Whether ranks share the batch.</summary>
    public bool IsShared => _parts.IsShared;

    internal WorkParts Parts => _parts;

    /// <summary>This rank's images: from the first up to the one behind the last.</summary>
    /// <param name="total">Images in the batch of all ranks.</param>
    public (int First, int End) Own(int total) => (_parts.Range(_parts.First, total).First, _parts.Range(_parts.End - 1, total).End);

    /// <summary>The images of each of this rank's parts, counted from its first.</summary>
    internal IEnumerable<(int Part, int First, int End)> Ranges(int total)
    {
        int own = Own(total).First;
        for (int part = _parts.First; part < _parts.End; part++)
            yield return (part, _parts.Range(part, total).First - own, _parts.Range(part, total).End - own);
    }

    /// <summary>Adds what some images contribute, in the order of the parts; all ranks get the sums of the whole batch.</summary>
    /// <param name="total">Images in the batch of all ranks.</param>
    /// <param name="target">What is added to.</param>
    /// <param name="add">Adds the contribution of images to an array: from the first up to the one behind the last.</param>
    internal void Sum(int total, float[] target, Action<int, int, float[]> add)
    {
        if (!IsShared)
        {
            add(0, total, target);
            return;
        }
        var sums = new PartSums<ArraySums>(_parts);
        foreach ((int part, int first, int end) in Ranges(total))
        {
            var own = new float[target.Length];
            add(first, end, own);
            sums.Add(part, new([own], []));
        }
        var all = new ArraySums([new float[target.Length]], []);
        sums.FinishForAll(all);
        System.Numerics.Tensors.TensorPrimitives.Add(target, all.Singles[0], target);
    }

    /// <summary>Adds up what some images contribute in float64, likewise.</summary>
    internal double[] Sum(int total, int length, Action<int, int, double[]> add)
    {
        var all = new ArraySums([], [new double[length]]);
        if (!IsShared)
        {
            add(0, total, all.Doubles[0]);
            return all.Doubles[0];
        }
        var sums = new PartSums<ArraySums>(_parts);
        foreach ((int part, int first, int end) in Ranges(total))
        {
            var own = new ArraySums([], [new double[length]]);
            add(first, end, own.Doubles[0]);
            sums.Add(part, own);
        }
        sums.FinishForAll(all);
        return all.Doubles[0];
    }
}
