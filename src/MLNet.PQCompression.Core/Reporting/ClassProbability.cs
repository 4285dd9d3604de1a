using System.Numerics.Tensors;
using MLNet.PQCompression.Graph;

namespace MLNet.PQCompression.Reporting;

/// <summary>A class and how likely a model holds it to be.</summary>
/// <param name="Class">The class index.</param>
/// <param name="Probability">0 to 1; over all classes they sum to 1.</param>
public readonly record struct ClassProbability(int Class, double Probability)
{
    /// <summary>Whether a model's outputs are probabilities already, because it ends in a softmax, and not logits.</summary>
    /// <exception cref="InvalidModelException">The model has several outputs.</exception>
    public static bool AreOutputsOf(ModelGraph model)
    {
        ArgumentNullException.ThrowIfNull(model);
        return model.ProducerOf(model.OutputName)?.Operator is Softmax;
    }

    /// <summary>The likeliest classes, best first; of equal ones the lower index comes first.</summary>
    /// <param name="scores">A score for each class.</param>
    /// <param name="count">How many classes are wanted; all of them where there are fewer.</param>
    /// <param name="areProbabilities">Whether the scores are probabilities and not logits; see <see cref="AreOutputsOf"/>.</param>
    public static IReadOnlyList<ClassProbability> Best(ReadOnlySpan<float> scores, int count, bool areProbabilities = false)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(count);
        if (scores.IsEmpty)
            return [];
        var logs = new double[scores.Length];
        Logarithms(scores, areProbabilities, logs);
        return [.. logs.Select((log, c) => new ClassProbability(c, Math.Exp(log))).OrderByDescending(p => p.Probability).ThenBy(p => p.Class).Take(count)];
    }

    /// <summary>The natural logarithms of the probabilities: of softmax(scores), or of the scores themselves brought to a sum of 1.</summary>
    internal static void Logarithms(ReadOnlySpan<float> scores, bool areProbabilities, Span<double> logarithms)
    {
        double max = TensorPrimitives.Max(scores);
        double sum = 0;
        for (int c = 0; c < scores.Length; c++)
        {
            logarithms[c] = areProbabilities ? Math.Log(Math.Max(scores[c], float.Epsilon)) : scores[c] - max;
            sum += Math.Exp(logarithms[c]);
        }
        double logSum = Math.Log(sum);
        foreach (ref double log in logarithms)
            log -= logSum;
    }
}
