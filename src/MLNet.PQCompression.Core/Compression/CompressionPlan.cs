using System.Collections.Immutable;
using System.Numerics;
using MLNet.PQCompression.Graph;
using MLNet.PQCompression.Quantization;

namespace MLNet.PQCompression.Compression;

/// <summary>Which layers are quantized, with which blocks and codebooks, and which are left alone and why (paper, section 4.1).</summary>
public sealed class CompressionPlan
{
    /// <summary>A network whose 1×1 convolutions hold less than this share of its convolution weights is one of basic blocks.</summary>
    private const double BasicBlockShare = 0.1;

    /// <summary>Classifiers of at least this many classes get a large codebook by default.</summary>
    private const int LargeClassifier = 1000;

    private CompressionPlan(ModelGraph graph, ImmutableArray<LayerPlan> layers)
    {
        Layers = layers;
        long planned = layers.Sum(l => l.PaperBytes);
        PaperAccounting whole = PaperAccounting.Of(graph);
        OtherBytes = whole.Total - layers.Sum(l => OwnBytes(graph.Initializers[l.Weight]));
        PaperBytes = planned + OtherBytes + layers.Where(l => l.AddsBias).Sum(l => (long)sizeof(float) * l.Rows);
        DenseBytes = layers.Sum(l => l.DenseBytes) + OtherBytes;
    }

    /// <summary>Every weight of a convolution or linear layer in the order of the graph.</summary>
    public ImmutableArray<LayerPlan> Layers { get; }

    /// <summary>Bytes of all parameters that belong to no layer's weight: biases, BatchNorm weight and bias.</summary>
    public long OtherBytes { get; }

    /// <summary>Bytes of the compressed model as the paper counts.</summary>
    public long PaperBytes { get; }

    /// <summary>Bytes of the model with every weight in float32.</summary>
    public long DenseBytes { get; }

    /// <summary>Plans the compression of a model.</summary>
    /// <exception cref="ArgumentException">An override matches no layer, or asks for what its layer cannot do; the message names it.</exception>
    public static CompressionPlan Create(ModelGraph graph, CompressionOptions options)
    {
        ArgumentNullException.ThrowIfNull(graph);
        ArgumentNullException.ThrowIfNull(options);
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Codewords, 2, nameof(options));
        Node[] layers = [.. graph.Nodes.Where(n => LayerForms.IsLayer(graph, n)).DistinctBy(n => n.Inputs[1])];
        ILookup<string, Node> readers = graph.Nodes.SelectMany(n => n.Inputs.Select(i => (Input: i, Node: n))).ToLookup(r => r.Input, r => r.Node, StringComparer.Ordinal);
        bool basicBlocks = HasBasicBlocks(graph, layers);
        foreach (LayerOverride o in options.Overrides)
            if (!layers.Any(n => readers[n.Inputs[1]].Any(r => o.Matches(r.Name, n.Inputs[1]))))
                throw new ArgumentException($"No layer matches '{o.Pattern}'; the layers are {string.Join(", ", layers.Select(n => n.Inputs[1]))}.", nameof(options));
        string? first = layers.FirstOrDefault(n => n.Operator is Conv)?.Name;
        ImmutableArray<LayerPlan> plans = [.. layers.Select(n => Plan(graph, n, options, n.Name == first, basicBlocks, [.. readers[n.Inputs[1]]]))];
        return new(graph, FittedBlocks.SpendSpare(plans, p => p.GeometryOf(layers.First(n => n.Name == p.Node).Operator)));
    }

    private static LayerPlan Plan(ModelGraph graph, Node node, CompressionOptions options, bool isFirst, bool basicBlocks, Node[] readers)
    {
        string weight = node.Inputs[1];
        TensorShape shape = graph.Initializers[weight].Shape;
        LayerOverride? exception = options.Overrides.LastOrDefault(o => readers.Any(r => o.Matches(r.Name, weight)));
        LayerPlan Alone(string reason) => new(node.Name, weight, shape, 0, 0, reason);
        if (exception is { Skip: true })
            return Alone($"left alone {exception.Reason ?? "as asked"}");
        bool asked = exception?.BlockSize is not null || exception?.Codewords is not null;
        if (readers.FirstOrDefault(r => r.Inputs.Length < 2 || r.Inputs[1] != weight || !LayerForms.IsLayer(graph, r) || LayerGeometry.HasOutputsInColumns(r.Operator) != LayerGeometry.HasOutputsInColumns(node.Operator)) is { } other)
            return asked ? throw Impossible($"{other} reads its weight too, in another way") : Alone($"{other} reads its weight too, in another way");
        if (node.Operator is ConvTranspose transposed && WhyDense(transposed) is { } reason)
            return asked ? throw Impossible(reason) : Alone(reason);
        if (isFirst && !asked)
            return Alone("first convolution");
        if (!options.Depthwise && !asked && node.Operator is Conv { Group: > 1 } && shape[1] == 1)
            return Alone("depthwise: few bytes and large errors");
        LayerGeometry geometry = LayerGeometry.Of(node.Operator, shape);
        bool isLinear = geometry.Window is null, isHidden = isLinear && HiddenLayers.IsHidden(graph, node);
        (int d, string rule) = exception?.BlockSize is { } given ? (given, exception.Reason ?? "as asked")
            : isHidden && RegionDetector.Applies(graph) ? (LargestDivisor(geometry.RowLength, RegionDetector.BlockSize(geometry), 1), "box head")
            : isHidden ? (LargestDivisor(geometry.RowLength, options.ClassifierBlockSize, 1), "hidden linear layer")
            : BlockSize(geometry, options, basicBlocks);
        if (d < 1 || geometry.RowLength % d != 0)
            throw Impossible($"blocks of {d} do not divide its rows of {geometry.RowLength} values");
        long blocks = shape.Count / d;
        int wanted = exception?.Codewords ?? (isLinear && !isHidden && !RegionDetector.Applies(graph) ? ClassifierCodewords(geometry, options, basicBlocks) : options.Codewords);
        int k = exception?.Codewords is not null ? (int)Math.Min(wanted, blocks) : Clamp(wanted, blocks);
        int finer = options is { Blocks: BlockRegime.Fitted or BlockRegime.FittedLarge, Method: CompressionMethod.Output } && !asked ? wanted : 0;
        if (finer > 0 && FittedBlocks.Of(shape, geometry, d, k, wanted) is { } fitted)
            (d, k, wanted, finer, rule) = (fitted.BlockSize, fitted.Codewords, fitted.Codewords, 0, $"{rule}, fitted to the bytes of d = {d}, k = {k}");
        Node[] together = [.. graph.Nodes.SkipWhile(n => n != node).TakeWhile(readers.Contains)];
        if (together.Length > 1)
            rule += $"; one weight of {together.Length} nodes";
        if (together.Length < readers.Length)
            rule += $"; {readers.Length - together.Length} more read it and follow, since they depend on these or differ from them";
        int slices = RowSlices.Count(geometry, d, options);
        if (slices > 1)
            rule += $"; rows in {slices} slices, whose statistics fit into memory";
        var plan = new LayerPlan(node.Name, weight, shape, d, k, k < wanted ? $"{rule}; k clamped to {k} of {blocks} blocks" : rule)
        {
            Readers = [.. together.Select(n => n.Name)],
            MostCodewords = finer,
            Slices = slices,
            IsTransposed = LayerGeometry.HasOutputsInColumns(node.Operator),
            AddsBias = options.Method == CompressionMethod.Output && AddedBiases.Applies(graph, weight),
        };
        if (k < 2 || plan.PaperBytes >= plan.DenseBytes)
            return asked ? throw Impossible("it would not shrink") : Alone("too small to shrink");
        return k <= 65536 ? plan : throw Impossible("codes have 16 bits, so k is at most 65536");

        ArgumentException Impossible(string reason) => new($"Layer '{weight}' cannot be quantized as asked: {reason}.", nameof(options));
    }

    /// <summary>min(k, blocks/4), rounded down to a power of two (section 4.1).</summary>
    private static int Clamp(int codewords, long blocks)
    {
        long most = Math.Min(codewords, Math.Min(blocks / 4, 65536));
        return most < 1 ? 0 : 1 << BitOperations.Log2((uint)most);
    }

    private static (int BlockSize, string Rule) BlockSize(LayerGeometry geometry, CompressionOptions options, bool basicBlocks)
    {
        int n = geometry.RowLength;
        if (geometry.Window is not { } window)
            return (LargestDivisor(n, options.ClassifierBlockSize, 1), "classifier");
        int area = window.KernelHeight * window.KernelWidth;
        bool large = options.Blocks is BlockRegime.Large or BlockRegime.FittedLarge;
        if (area > 1)
            return (LargestDivisor(n, large ? 18 : 9, area), large ? "large blocks" : "small blocks");
        return large && !basicBlocks
            ? (LargestDivisor(n, 8, 1), "large blocks")
            : (LargestDivisor(n, 4, 1), large ? "small blocks: few 1×1 weights in the network" : "small blocks");
    }

    /// <summary>The largest divisor of a row's length up to <paramref name="most"/> that is a multiple or a divisor of the kernel's area.</summary>
    private static int LargestDivisor(int rowLength, int most, int area)
    {
        for (int d = Math.Min(rowLength, most); d > 1; d--)
            if (rowLength % d == 0 && (d % area == 0 || area % d == 0))
                return d;
        return 1;
    }

    private static int ClassifierCodewords(LayerGeometry geometry, CompressionOptions options, bool basicBlocks) =>
        options.ClassifierCodewords ?? (geometry.Rows < LargeClassifier ? options.Codewords : basicBlocks ? 2048 : 1024);

    private static bool HasBasicBlocks(ModelGraph graph, Node[] layers)
    {
        Node[] convolutions = [.. layers.Where(n => n.Operator is Conv)];
        double all = convolutions.Sum(n => (double)graph.Initializers[n.Inputs[1]].Shape.Count);
        double pointwise = convolutions.Where(n => n.Operator is Conv { Window: { KernelHeight: 1, KernelWidth: 1 } })
            .Sum(n => (double)graph.Initializers[n.Inputs[1]].Shape.Count);
        return pointwise < BasicBlockShare * all;
    }

    /// <summary>Why a transposed convolution is left alone, or null.</summary>
    private static string? WhyDense(ConvTranspose conv) =>
        conv.Group > 1 ? "transposed convolution of several groups" : !LayerActivations.WindowOf(conv).IsValid ? "transposed convolution with more padding than kernel" : null;

    private static long OwnBytes(Initializer initializer) => initializer is QuantizedTensor q
        ? PaperAccounting.CodeBytes(q.Codes.Length, q.Codewords) + 2L * q.Codebook.Length
        : 4 * initializer.Shape.Count;
}
