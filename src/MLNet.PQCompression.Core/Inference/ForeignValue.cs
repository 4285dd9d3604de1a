using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>
/// A value that is no tensor of real numbers: integers, Booleans, strings, sequences. It goes along as the runtime that made it holds it; <see cref="Activation.Span"/> is empty, and what can be read is
/// read by <see cref="ToIntegers"/> and <see cref="ToStrings"/>.
/// </summary>
public abstract class ForeignValue : Activation
{
    /// <summary>A value of a shape.</summary>
    /// <param name="shape">The tensor's shape; [0] for a value that is no tensor.</param>
    protected ForeignValue(TensorShape shape) : base(shape, Elsewhere.Elements) { }

    /// <summary>The elements of a tensor of whole numbers or Booleans (0 and 1), row-major; null where it is none.</summary>
    public abstract long[]? ToIntegers();

    /// <summary>The elements of a tensor of strings, row-major; null where it is none.</summary>
    public abstract string[]? ToStrings();

    /// <summary>The value in words, for people; the first of its elements where there are many.</summary>
    public abstract string Describe();
}
