using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Formats.Onnx;

/// <summary>What is known of a value while a model is read.</summary>
/// <param name="Name">The name under which it enters the graph.</param>
internal abstract record OnnxValue(string Name);

/// <summary>A value that depends on the input.</summary>
internal sealed record Activation(string Name, ProbedShape? Shape) : OnnxValue(Name);

/// <summary>A constant tensor as the file holds it.</summary>
internal sealed record Constant(string Name, RawTensor Tensor) : OnnxValue(Name);

/// <summary>Integers worked out while reading; an element that is the batch size, or not known, holds one of the two marks.</summary>
internal sealed record Integers(string Name, TensorShape Shape, long[] Elements) : OnnxValue(Name)
{
    /// <summary>Stands for the batch size.</summary>
    public const long Batch = long.MinValue;

    /// <summary>Stands for a size that depends on the image.</summary>
    public const long Unknown = long.MinValue + 1;

    public static bool IsMark(long value) => value is Batch or Unknown;
}

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
internal sealed record Quantized(string Name, QuantizedTensor Tensor) : OnnxValue(Name);

/// <summary>What a node that is not supported would have made; nodes that read it are passed over.</summary>
internal sealed record Unreadable(string Name) : OnnxValue(Name);

/// <summary>The shapes a value takes for two probing inputs that differ in every dimension that may vary. Dimensions equal in both are fixed.</summary>
internal sealed record ProbedShape(TensorShape First, TensorShape Second)
{
    public int Rank => First.Rank;

    /// <summary>The dimension's size, the batch mark for dimension 0, or the unknown mark.</summary>
    public long this[int axis] => First[axis] == Second[axis] ? First[axis] : axis == 0 ? Integers.Batch : Integers.Unknown;

    /// <summary>The shape with -1 for what varies.</summary>
    public TensorShape ToShape()
    {
        var sizes = new int[Rank];
        for (int i = 0; i < sizes.Length; i++)
            sizes[i] = Integers.IsMark(this[i]) ? -1 : (int)this[i];
        return new(sizes);
    }
}
