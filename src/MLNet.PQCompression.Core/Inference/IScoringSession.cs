using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Inference;

/// <summary>Scores images with a model, whatever runs it.</summary>
public interface IScoringSession : IDisposable
{
    /// <summary>What runs the model, and why it does.</summary>
    string Engine { get; }

    /// <summary>Scores images of one size.</summary>
    /// <param name="images">N×C×H×W, preprocessed.</param>
    /// <returns>The outputs by name. A value that is no tensor of real numbers is a <see cref="ForeignValue"/>.</returns>
    /// <exception cref="InvalidModelException">The model does not take images of this size.</exception>
    IReadOnlyDictionary<string, Activation> Run(Activation images);
}
