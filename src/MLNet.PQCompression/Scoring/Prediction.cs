namespace MLNet.PQCompression.Scoring;

/// <summary>The predicted label of some scores.</summary>
internal static class Prediction
{
    /// <summary>The key (from 1) of the highest score, the first of equal ones; 0, a missing key, where no score is a number.</summary>
    public static uint KeyOf(ReadOnlySpan<float> scores)
    {
        int best = -1;
        for (int i = 0; i < scores.Length; i++)
            if (!float.IsNaN(scores[i]) && (best < 0 || scores[i] > scores[best]))
                best = i;
        return (uint)(best + 1);
    }
}
