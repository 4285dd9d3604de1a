namespace MLNet.PQCompression.Compression;

/// <summary>How fast each kind of work goes on this machine.</summary>
/// <remarks>
/// The first measurement of a kind is taken while its code is still compiled, so it is left out as soon as there is another. A kind is taken to go as usual, on a machine as much slower or faster as all
/// that was measured says, until its own measurements weigh more.
/// </remarks>
internal sealed class WorkSpeed
{
    /// <summary>What is usual weighs as much as a measurement of so many seconds.</summary>
    private const double Prior = 0.5;

    /// <summary>Units a second of each kind on two cores with AVX2.</summary>
    private static readonly double[] Usual = [5e7, 3e10, 5e10, 4e10, 1.8e10, 3.3e9, 8e10];

    private readonly (double Amount, double Seconds, int Pieces)[] _measured = new (double, double, int)[Work.Kinds];

    /// <summary>Takes a measurement in; one of no work or no time says nothing.</summary>
    public void Add(WorkKind kind, double amount, double seconds)
    {
        if (amount <= 0 || seconds <= 0)
            return;
        ref (double Amount, double Seconds, int Pieces) sum = ref _measured[(int)kind];
        sum = sum.Pieces == 1 ? (amount, seconds, 2) : (sum.Amount + amount, sum.Seconds + seconds, sum.Pieces + 1);
    }

    /// <summary>The time that some work takes.</summary>
    public double SecondsOf(Work work)
    {
        // Reading hangs on the images' format and tells nothing of the rest.
        double usual = Prior, measured = Prior, seconds = 0;
        for (WorkKind kind = WorkKind.Reading + 1; (int)kind < Work.Kinds; kind++)
            (usual, measured) = (usual + _measured[(int)kind].Amount / Usual[(int)kind], measured + _measured[(int)kind].Seconds);
        for (int k = 0; k < Work.Kinds; k++)
            seconds += work[(WorkKind)k] * (_measured[k].Seconds + Prior) / (_measured[k].Amount + Prior * Usual[k] * usual / measured);
        return seconds;
    }
}
