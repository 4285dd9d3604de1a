using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>A value that is no tensor of real numbers: integers, Booleans, strings, sequences. It goes along as the runtime that made it holds it, and has no values to look at here.</summary>
public abstract class ForeignValue : Activation
{
    /// <summary>A value without numbers.</summary>
    protected ForeignValue() : base(new TensorShape(0), Memory<float>.Empty) { }

    /// <summary>The value in words, for people; the first of its elements where there are many.</summary>
    public abstract string Describe();
}
