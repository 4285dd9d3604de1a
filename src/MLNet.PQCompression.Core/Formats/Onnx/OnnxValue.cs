using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>What is known of a value while a model is read.</summary>
/// <param name="Name">The name under which it enters the graph.</param>
internal abstract record OnnxValue(string Name)
{
    /// <summary>For constants of real numbers, the element type in which nodes read them where a Cast has changed it.</summary>
    public TensorElementType? CastTo { get; init; }
}

/// <summary>A value that depends on the input.</summary>
/// <param name="Name">The name under which it enters the graph.</param>
/// <param name="Shape">Its shape, or null where that is known only when the network runs.</param>
/// <param name="IsReal">Whether it is known to be a tensor of real numbers.</param>
/// <param name="IsImage">Whether it is the image itself, whose bytes may be cast to real numbers.</param>
internal sealed record Activation(string Name, ProbedShape? Shape, bool IsReal = true, bool IsImage = false) : OnnxValue(Name);

/// <summary>A constant tensor as the file holds it.</summary>
internal sealed record Constant(string Name, RawTensor Tensor) : OnnxValue(Name);

/// <summary>Integers worked out while reading, for each of the two probing inputs; where they do not depend on the input both are one array.</summary>
internal sealed record Integers(string Name, TensorShape Shape, long[] First, long[] Second) : OnnxValue(Name)
{
    /// <summary>Stands for the batch size.</summary>
    public const long Batch = long.MinValue;

    /// <summary>Stands for a size that depends on the image.</summary>
    public const long Unknown = long.MinValue + 1;

    /// <summary>Integers that are the same whatever the input.</summary>
    public Integers(string name, TensorShape shape, long[] elements) : this(name, shape, elements, elements)
    {
    }

    /// <summary>The elements; one that is the batch size, or not known, is one of the two marks.</summary>
    public long[] Elements
    {
        get
        {
            if (ReferenceEquals(First, Second))
                return First;
            var elements = new long[First.Length];
            for (int i = 0; i < elements.Length; i++)
                elements[i] = First[i] == Second[i] ? First[i] : (First[i], Second[i]) == (ProbedShape.FirstBatch, ProbedShape.SecondBatch) ? Batch : Unknown;
            return elements;
        }
    }

    public static bool IsMark(long value) => value is Batch or Unknown;

    /// <summary>One array where the two are equal, so that what follows is computed once.</summary>
    public static Integers Of(string name, TensorShape shape, long[] first, long[] second) =>
        first.AsSpan().SequenceEqual(second) ? new(name, shape, first) : new(name, shape, first, second);
}

/// <summary>Real numbers worked out while reading that depend on the input: sizes that an exporter scales.</summary>
internal sealed record Reals(string Name, DenseTensor First, DenseTensor Second) : OnnxValue(Name);

/// <summary>Codewords looked up by constant codes: a tensor of the codes' shape with one more dimension, d.</summary>
internal sealed record Lookup(string Name, float[] Codebook, int BlockSize, TensorShape CodesShape, BlockCodes Codes) : OnnxValue(Name)
{
    public TensorShape Shape
    {
        get
        {
            var dimensions = new int[CodesShape.Rank + 1];
            for (int i = 0; i < dimensions.Length; i++)
                dimensions[i] = i < CodesShape.Rank ? CodesShape[i] : BlockSize;
            return new(dimensions);
        }
    }
}

/// <summary>A product-quantized weight in its final shape.</summary>
internal sealed record Quantized(string Name, QuantizedTensor Tensor) : OnnxValue(Name)
{
    public TensorShape Shape => Tensor.Shape;
}

/// <summary>A constant that is not worked out here: strings, sparse tensors, what foreign nodes make of constants.</summary>
internal sealed record Opaque(string Name) : OnnxValue(Name);

/// <summary>The shapes a value takes for two probing inputs that differ in every dimension that may vary. Dimensions equal in both are fixed.</summary>
internal sealed record ProbedShape(TensorShape First, TensorShape Second)
{
    /// <summary>The two batches that are probed: no quotients of the probed image sizes by one number.</summary>
    public const int FirstBatch = 11, SecondBatch = 13;

    public int Rank => First.Rank;

    /// <summary>Whether a dimension is the batch, or the batch times a number.</summary>
    public bool HoldsBatch(int axis) => First[axis] != Second[axis] && (long)First[axis] * SecondBatch == (long)Second[axis] * FirstBatch;

    /// <summary>The dimension's size, the batch mark for dimension 0, or the unknown mark.</summary>
    public long this[int axis] => First[axis] == Second[axis] ? First[axis] : axis == 0 && First[0] == FirstBatch ? Integers.Batch : Integers.Unknown;

    /// <summary>The shape with -1 for what varies.</summary>
    public TensorShape ToShape()
    {
        var sizes = new int[Rank];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = Integers.IsMark(this[i]) ? -1 : (int)this[i];
        return new(sizes);
    }
}
