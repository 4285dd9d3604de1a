using MLNet.PQCompression.Collectives;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Inference;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>The inputs of one layer on the frontier of all ranks, and the sums over them.</summary>
internal sealed class LayerInputs
{
    /// <summary>Rows of inputs that statistics take at least, where there are as many: enough for a well-determined H.</summary>
    private const int MinimumRows = 262144;

    private readonly TwinFrontier _frontier;
    private readonly Node[] _readers;
    private readonly int[] _positions;
    private readonly int _seed, _firstPart;

    /// <summary>Counts the rows of all ranks: all positions are taken where a layer has few rows for its width, else the same share of each image's.</summary>
    /// <param name="frontier">Where the layer is next.</param>
    /// <param name="readers">The nodes that read its weight.</param>
    /// <param name="geometry">The layer.</param>
    /// <param name="seed">Seed of the positions.</param>
    public LayerInputs(TwinFrontier frontier, Node[] readers, LayerGeometry geometry, int seed)
    {
        (_frontier, _readers, _seed, Geometry) = (frontier, readers, seed, geometry);
        // Of each reader rows and images, then of each part whether there is anything.
        var totals = new double[2 * readers.Length + Parts.Count];
        for (int r = 0; r < readers.Length; r++)
            foreach ((TensorShape shape, BatchPlace place) in frontier.ShapesOf(readers[r].Inputs[0]).Zip(frontier.Images.Places))
            {
                totals[2 * r] += LayerActivations.RowsOf(readers[r].Operator, shape, geometry);
                totals[2 * r + 1] += LayerActivations.ImagesOf(shape);
                totals[2 * readers.Length + place.Part] += shape.Count > 0 ? 1 : 0;
            }
        Parts.Total(totals);
        double share = Math.Min(1, RowsWanted(geometry) / Math.Max(1, Enumerable.Range(0, readers.Length).Sum(r => totals[2 * r])));
        _positions = [.. readers.Select((_, r) => (int)Math.Max(1, Math.Ceiling(share * totals[2 * r] / Math.Max(1, totals[2 * r + 1]))))];
        _firstPart = totals.AsSpan(2 * readers.Length).IndexOfAnyExcept(0);
    }

    /// <summary>The layer.</summary>
    public LayerGeometry Geometry { get; }

    /// <summary>Whether any image of any rank reaches the layer.</summary>
    public bool AreReached => _firstPart >= 0;

    /// <summary>Whether this is the rank that gets the sums.</summary>
    public bool IsDecidedHere => Parts.IsFirst;

    private WorkParts Parts => _frontier.Images.Parts;

    /// <summary>Rows of inputs that a layer's statistics are taken from, where there are as many.</summary>
    internal static long RowsWanted(LayerGeometry geometry) => Math.Max(MinimumRows, 16L * geometry.RowLength);

    /// <summary>The moments of inputs and targets of all ranks, on rank 0; the others get null.</summary>
    /// <param name="backend">Takes the sums.</param>
    /// <param name="target">The target of a reader's batch in the form of a convolution, by their numbers.</param>
    /// <param name="cancellationToken">Stops between batches.</param>
    public OutputStatistics? Moments(IQuantizationBackend backend, Func<int, int, Activation> target, CancellationToken cancellationToken)
    {
        SumOrigins? origins = null;
        if (Parts.IsShared)
        {
            origins = SumOrigins.Unset(Geometry);
            if (HasFirst is { } first)
                origins.Set(Geometry, Input(first), target(first.Reader, first.Batch), _positions[first.Reader], SeedOf(first), backend.Workers);
            origins.Share(Parts.Ranks, Parts.Owner(_firstPart));
        }
        var sums = new PartSums<OutputStatistics>(Parts);
        for (int part = Parts.First; part < Parts.End; part++)
        {
            using IMoments moments = backend.Moments(Geometry, _frontier.Images.Views, origins);
            foreach (Item item in Items(part))
            {
                cancellationToken.ThrowIfCancellationRequested();
                moments.Add(Input(item), target(item.Reader, item.Batch), _positions[item.Reader], SeedOf(item), _frontier.Images.Places[item.Batch].Index);
            }
            sums.Add(part, moments.ToStatistics());
        }
        return sums.Finish();
    }

    /// <summary>The Gram matrix of the input blocks of all ranks, on rank 0; the others get null.</summary>
    public double[]? Gram(IQuantizationBackend backend, int blockSize, CancellationToken cancellationToken)
    {
        float? scale = null;
        if (Parts.IsShared)
        {
            Span<float> common = [HasFirst is { } first ? GramStatistics.ScaleOf(Geometry, Input(first), _positions[first.Reader], SeedOf(first), backend.Workers) : 0];
            Parts.Ranks.Broadcast(System.Runtime.InteropServices.MemoryMarshal.AsBytes(common), Parts.Owner(_firstPart));
            scale = common[0];
        }
        var sums = new PartSums<ArraySums>(Parts);
        for (int part = Parts.First; part < Parts.End; part++)
        {
            using IGram gram = backend.Gram(Geometry, blockSize, scale);
            foreach (Item item in Items(part))
            {
                cancellationToken.ThrowIfCancellationRequested();
                gram.Add(Input(item), _positions[item.Reader], SeedOf(item));
            }
            sums.Add(part, new([], [gram.ToArray()]));
        }
        return sums.Finish()?.Doubles[0];
    }

    /// <summary>The first of all batches, where this rank has it: the origins of all sums come from it.</summary>
    private Item? HasFirst => Parts.Owner(_firstPart) == Parts.Ranks.Rank ? Items(_firstPart).First() : null;

    /// <summary>A batch of a reader's inputs, in the form of a convolution or of a plain product.</summary>
    public Activation Input(int reader, int batch) => LayerActivations.Input(_readers[reader].Operator, _frontier.StudentValue(_readers[reader].Inputs[0], batch));

    private Activation Input(Item item) => Input(item.Reader, item.Batch);

    private int SeedOf(Item item) => HashCode(_seed, _frontier.Images.NumberOf(item.Batch) + item.Reader * _frontier.Images.BatchesPerView * _frontier.Images.Views);

    /// <summary>The batches of a part that hold anything, of all readers.</summary>
    private IEnumerable<Item> Items(int part)
    {
        for (int r = 0; r < _readers.Length; r++)
        {
            TensorShape[] shapes = [.. _frontier.ShapesOf(_readers[r].Inputs[0])];
            for (int b = 0; b < shapes.Length; b++)
                if (_frontier.Images.Places[b].Part == part && shapes[b].Count > 0)
                    yield return new(r, b);
        }
    }

    private static int HashCode(int seed, int batch) => unchecked((seed * 486187739) ^ (batch * 16777619));

    /// <summary>A batch of one reader's inputs.</summary>
    private readonly record struct Item(int Reader, int Batch);
}
