using System.Collections.Immutable;

namespace MLNet.PQCompression.Graph;

/// <summary>Works out the shape of every value of a graph from the shape of its input.</summary>
/// <remarks>
/// It is also what stands between a model and the kernels: every evaluator, plan and training program asks here first. Sizes are computed in 64 bits; attributes
/// that no kernel may see (a window larger than its input, a step of 0, an axis that is not there) and tensors whose elements do not fit an array are refused
/// (<see cref="TensorSize"/>). A new operator checks its own attributes here and makes its shape by <see cref="Sized"/>.
/// </remarks>
public static partial class ShapeInference
{
    /// <summary>The shape of every value and initializer by name.</summary>
    /// <param name="graph">The graph.</param>
    /// <param name="inputShape">The input's shape N×C×H×W, all dimensions known.</param>
    /// <exception cref="InvalidModelException">An operator's inputs do not fit each other or its attributes; the message names the node and the shapes.</exception>
    public static IReadOnlyDictionary<string, TensorShape> Infer(ModelGraph graph, TensorShape inputShape)
    {
        ArgumentNullException.ThrowIfNull(graph);
        var shapes = new Dictionary<string, TensorShape>(StringComparer.Ordinal);
        foreach (ValueInfo value in Values(graph, inputShape).Values)
            shapes.Add(value.Name, value.Shape);
        foreach ((string name, Initializer initializer) in graph.Initializers)
            shapes.TryAdd(name, initializer.Shape);
        return shapes;
    }

    /// <summary>The shape of every value, and of every initializer that a node reads, by name.</summary>
    /// <exception cref="InvalidModelException">An operator's inputs do not fit each other or its attributes, or a node is foreign.</exception>
    internal static Dictionary<string, ValueInfo> Values(ModelGraph graph, TensorShape inputShape)
    {
        graph.RequireKernels();
        TensorShape declared = graph.Input.Shape;
        bool fits = inputShape.IsKnown && inputShape.Rank == declared.Rank;
        for (int i = 0; fits && i < declared.Rank; i++)
            fits = declared[i] < 0 || declared[i] == inputShape[i];
        if (!fits || !TensorSize.Fits(inputShape))
            throw new InvalidModelException($"Model '{graph.Name}' takes an input of shape {declared}, not {inputShape}.");
        var values = new Dictionary<string, ValueInfo>(StringComparer.Ordinal) { [graph.Input.Name] = new(graph.Input.Name, inputShape) };
        foreach (Node node in graph.Nodes)
        {
            var inputs = new TensorShape[node.Inputs.Length];
            for (int i = 0; i < inputs.Length; i++)
            {
                string name = node.Inputs[i];
                if (!values.TryGetValue(name, out ValueInfo? value))
                    values.Add(name, value = new(name, graph.FindInitializer(name)!.Shape));
                inputs[i] = value.Shape;
            }
            values[node.Output] = new(node.Output, OutputShape(node, inputs));
        }
        return values;
    }

    /// <summary>The shape a node makes from the shapes of its inputs, all known.</summary>
    /// <exception cref="InvalidModelException">The inputs do not fit each other or the node's attributes.</exception>
    public static TensorShape OutputShape(Node node, params ReadOnlySpan<TensorShape> inputs)
    {
        ArgumentNullException.ThrowIfNull(node);
        return OutputShape(node, inputs.ToArray());
    }

    internal static TensorShape OutputShape(Node node, TensorShape[] inputs)
    {
        (int least, int most) = InputCounts(node.Operator);
        if (inputs.Length < least || inputs.Length > most)
            throw Misfit(node, inputs, $"it takes {least}{(most == least ? "" : " or more")} inputs");
        TensorShape shape = Shape(node, inputs);
        return TensorSize.Fits(shape) ? shape : throw TooLarge(node, inputs, $"values of shape {shape}");
    }

    private static TensorShape Shape(Node node, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        return node.Operator switch
        {
            Conv conv => Convolve(node, conv, inputs),
            BatchNormalization => Normalize(node, inputs),
            Gemm gemm => Multiply(node, inputs, gemm.TransposeA, gemm.TransposeB),
            MatMul => MultiplyStacks(node, inputs),
            ConvTranspose conv => Spread(node, conv, inputs),
            PointwiseOperator => x,
            Lrn { Size: > 0 } when x.Rank == 4 => x,
            Softmax { Axis: >= 0 and var axis } when axis < x.Rank => x,
            LogSoftmax { Axis: >= 0 and var axis } when axis < x.Rank => x,
            InstanceNormalization => Normalize(node, inputs),
            LayerNormalization normalization => NormalizeLayers(node, normalization, inputs),
            Binary => Broadcast(node, inputs),
            Concat concat => Join(node, concat.Axis, inputs),
            Pad pad => Enlarge(node, pad, inputs),
            Slice slice => Cut(node, slice, inputs),
            MaxPool pool => Slide(node, pool.Window, pool.CeilMode, inputs, x.Rank == 4 ? x[1] : 0),
            AveragePool pool => Slide(node, pool.Window, pool.CeilMode, inputs, x.Rank == 4 ? x[1] : 0),
            GlobalAveragePool or GlobalMaxPool when x.Rank == 4 && x[2] > 0 && x[3] > 0 => new(x[0], x[1], 1, 1),
            Graph.Reduce reduce => Join(node, reduce, inputs),
            Flatten flatten when flatten.Axis >= 0 && flatten.Axis <= x.Rank => Sized(node, inputs, Product(x, 0, flatten.Axis), Product(x, flatten.Axis, x.Rank)),
            Reshape reshape => Regroup(node, reshape, inputs),
            Transpose transpose when IsPermutation(transpose.Permutation, x.Rank) => Permute(x, transpose.Permutation),
            Gather gather => Pick(node, gather, inputs),
            Expand expand when expand.Shape.All(d => d > 0) => Broadcast(node, [x, new([.. expand.Shape])]),
            Tile tile when tile.Repeats.Length == x.Rank && tile.Repeats.All(r => r > 0) => Sized(node, inputs, [.. x.Dimensions.Select((d, i) => (long)d * tile.Repeats[i])]),
            DepthToSpace space => Unfold(node, space.BlockSize, inputs),
            SpaceToDepth depth => Fold(node, depth.BlockSize, inputs),
            Resize resize => Sample(node, resize, inputs),
            _ => throw Misfit(node, inputs, "it does not take inputs of this rank or size"),
        };
    }

    /// <summary>The least and the largest number of inputs of an operator.</summary>
    private static (int Least, int Most) InputCounts(Operator op) => op switch
    {
        BatchNormalization => (5, 5),
        InstanceNormalization => (3, 3),
        Conv or ConvTranspose or Gemm or MatMul or LayerNormalization => (2, 3),
        Binary => (2, 2),
        Concat => (1, int.MaxValue),
        _ => (1, 1),
    };

    private static TensorShape Convolve(Node node, Conv conv, TensorShape[] inputs)
    {
        (TensorShape x, TensorShape w, Window window) = (inputs[0], inputs[1], conv.Window);
        if (x.Rank != 4 || w.Rank != 4)
            throw Misfit(node, inputs, "a 2-D convolution takes N×C×H×W and a weight of four dimensions");
        if (w[0] == 0 || w[1] == 0)
            throw Misfit(node, inputs, "the weight is empty");
        if (conv.Group < 1 || x[1] % conv.Group != 0 || w[0] % conv.Group != 0 || w[1] != x[1] / conv.Group)
            throw Misfit(node, inputs, $"with {conv.Group} groups the weight's second dimension must be the input's channels divided by the groups");
        if (w[2] != window.KernelHeight || w[3] != window.KernelWidth)
            throw Misfit(node, inputs, $"the kernel is {window.KernelHeight}×{window.KernelWidth}");
        if (inputs.Length == 3 && inputs[2].Count != w[0])
            throw Misfit(node, inputs, "the bias needs one value for each output channel");
        return Slide(node, window, false, inputs, w[0]);
    }

    /// <summary>The one place where a window meets an input: behind it all positions of all taps lie within the padded input, whose elements fit an array.</summary>
    private static TensorShape Slide(Node node, Window window, bool ceil, TensorShape[] inputs, int channels)
    {
        TensorShape x = inputs[0];
        if (x.Rank != 4)
            throw Misfit(node, inputs, "a window slides over N×C×H×W");
        if (!window.IsValid)
            throw Misfit(node, inputs, $"sizes, steps and distances of a window are 1 or more and its padding is not negative, unlike those of {window}");
        (long height, long width) = (window.PaddedHeight(x[2]), window.PaddedWidth(x[3]));
        if (!TensorSize.Fits(x[0], x[1], height, width))
            throw TooLarge(node, inputs, $"a padded input of {height}×{width}");
        (int rows, int columns) = (window.OutputHeight(x[2], ceil), window.OutputWidth(x[3], ceil));
        return rows > 0 && columns > 0 ? new(x[0], channels, rows, columns) : throw Misfit(node, inputs, "the window is larger than the padded input");
    }

    private static TensorShape Normalize(Node node, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        for (int i = 1; i < inputs.Length; i++)
            if (x.Rank < 2 || inputs[i].Rank != 1 || inputs[i][0] != x[1])
                throw Misfit(node, inputs, "scale, bias, mean and variance need one value for each channel");
        return x;
    }

    private static TensorShape Multiply(Node node, TensorShape[] inputs, bool transposeA, bool transposeB)
    {
        (TensorShape a, TensorShape b) = (inputs[0], inputs[1]);
        if (a.Rank != 2 || b.Rank != 2)
            throw Misfit(node, inputs, "a matrix product takes two matrices");
        (int m, int k) = transposeA ? (a[1], a[0]) : (a[0], a[1]);
        (int k2, int n) = transposeB ? (b[1], b[0]) : (b[0], b[1]);
        if (k != k2)
            throw Misfit(node, inputs, $"the summed dimensions are {k} and {k2}");
        if (inputs.Length == 3)
        {
            TensorShape c = inputs[2];
            if (c.Rank > 2 || (c.Rank > 0 && c[c.Rank - 1] != n && c[c.Rank - 1] != 1) || (c.Rank == 2 && c[0] != m && c[0] != 1))
                throw Misfit(node, inputs, $"the third input cannot be broadcast to {m}×{n}");
        }
        return new(m, n);
    }

    private static TensorShape MultiplyStacks(Node node, TensorShape[] inputs)
    {
        (TensorShape a, TensorShape b) = (inputs[0], inputs[1]);
        if (a.Rank == 2 && b.Rank == 2)
            return Multiply(node, inputs, false, false);
        if (a.Rank == 0 || b.Rank == 0)
            throw Misfit(node, inputs, "a matrix product takes matrices");
        // A vector is a row on the left and a column on the right, and the dimension goes again.
        TensorShape left = a.Rank == 1 ? new(1, a[0]) : a, right = b.Rank == 1 ? new(b[0], 1) : b;
        if (left[left.Rank - 1] != right[right.Rank - 2])
            throw Misfit(node, inputs, $"the summed dimensions are {left[left.Rank - 1]} and {right[right.Rank - 2]}");
        if (inputs.Length > 2 && (inputs[2].Rank != 1 || inputs[2][0] != right[right.Rank - 1]))
            throw Misfit(node, inputs, $"the bias must have {right[right.Rank - 1]} values");
        TensorShape stack = Broadcast(node, [Stack(left), Stack(right)]);
        return new([.. stack.Dimensions, .. a.Rank == 1 ? (int[])[] : [left[left.Rank - 2]], .. b.Rank == 1 ? (int[])[] : [right[right.Rank - 1]]]);

        static TensorShape Stack(TensorShape shape) => new([.. shape.Dimensions[..(shape.Rank - 2)]]);
    }

    private static TensorShape Spread(Node node, ConvTranspose conv, TensorShape[] inputs)
    {
        (TensorShape x, TensorShape w, Window window) = (inputs[0], inputs[1], conv.Window);
        if (x.Rank != 4 || w.Rank != 4)
            throw Misfit(node, inputs, "a 2-D convolution takes N×C×H×W and a weight of four dimensions");
        if (conv.Group < 1 || x[1] % conv.Group != 0 || w[0] != x[1])
            throw Misfit(node, inputs, $"with {conv.Group} groups the weight's first dimension must be the input's channels, a multiple of the groups");
        if (w[2] != window.KernelHeight || w[3] != window.KernelWidth)
            throw Misfit(node, inputs, $"the kernel is {window.KernelHeight}×{window.KernelWidth}");
        long channels = (long)w[1] * conv.Group;
        if (inputs.Length == 3 && inputs[2].Count != channels)
            throw Misfit(node, inputs, "the bias needs one value for each output channel");
        if (!window.IsValid || conv.ExtraHeight < 0 || conv.ExtraWidth < 0 || x[2] == 0 || x[3] == 0 || channels == 0)
            throw Misfit(node, inputs, $"sizes, steps and distances of a window are 1 or more and its padding is not negative, unlike those of {conv}");
        (long height, long width) = (conv.OutputHeight(x[2]), conv.OutputWidth(x[3]));
        if (!TensorSize.Fits(x[0], channels, height + window.PadTop + window.PadBottom, width + window.PadLeft + window.PadRight) || !TensorSize.Fits(channels, w[2], w[3], x[2], x[3]))
            throw TooLarge(node, inputs, $"an output of {height}×{width} before it is cut, or as many products");
        return height > 0 && width > 0 ? Sized(node, inputs, x[0], channels, height, width) : throw Misfit(node, inputs, "the padding cuts everything away");
    }

    private static TensorShape NormalizeLayers(Node node, LayerNormalization normalization, TensorShape[] inputs)
    {
        TensorShape x = inputs[0];
        if (normalization.Axis < 0 || normalization.Axis >= x.Rank)
            throw Misfit(node, inputs, $"there is no dimension {normalization.Axis}");
        for (int i = 1; i < inputs.Length; i++)
            if (Broadcast(node, [x, inputs[i]]) != x)
                throw Misfit(node, inputs, "scale and bias must be broadcast to the input");
        return x;
    }

    private static TensorShape Broadcast(Node node, TensorShape[] inputs)
    {
        (TensorShape a, TensorShape b) = (inputs[0], inputs[1]);
        int rank = Math.Max(a.Rank, b.Rank);
        var result = new int[rank];
        for (int i = 1; i <= rank; i++)
        {
            int x = i <= a.Rank ? a[a.Rank - i] : 1, y = i <= b.Rank ? b[b.Rank - i] : 1;
            if (x != y && x != 1 && y != 1)
                throw Misfit(node, inputs, "they cannot be broadcast to one shape");
            result[rank - i] = x == 1 ? y : x;
        }
        return new(result);
    }

    /// <summary>A product of some dimensions, which cannot overflow: <see cref="TensorSize.Fits(TensorShape)"/> held when the shape was made.</summary>
    private static long Product(TensorShape shape, int from, int to)
    {
        long product = 1;
        for (int i = from; i < to; i++)
            product *= shape[i];
        return product;
    }

    /// <summary>A shape from sizes worked out in 64 bits.</summary>
    private static TensorShape Sized(Node node, TensorShape[] inputs, params ReadOnlySpan<long> sizes)
    {
        if (!TensorSize.Fits(sizes))
            throw TooLarge(node, inputs, $"values of shape {string.Join('×', sizes.ToArray())}");
        var dimensions = new int[sizes.Length];
        for (int i = 0; i < sizes.Length; i++)
            dimensions[i] = (int)sizes[i];
        return new(dimensions);
    }

    private static InvalidModelException Misfit(Node node, TensorShape[] inputs, string reason) =>
        new($"{node} gets inputs of shape {string.Join(", ", inputs.Take(8))}{(inputs.Length > 8 ? ", …" : "")}: {reason}.");

    private static InvalidModelException TooLarge(Node node, TensorShape[] inputs, string what) =>
        Misfit(node, inputs, $"it would need {what}, more than the {Array.MaxLength} elements that a tensor may have");
}
