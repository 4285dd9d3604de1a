using System.CommandLine;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>Checks of option values while the command line is parsed.</summary>
internal static class OptionChecks
{
    /// <summary>Refuses values below <paramref name="minimum"/>.</summary>
    public static Option<T> AtLeast<T>(this Option<T> option, int minimum)
    {
        option.Validators.Add(result =>
        {
            if (result.Tokens.Count > 0 && int.TryParse(result.Tokens[0].Value, out int value) && value < minimum)
                result.AddError($"{option.Name} must be {minimum} or more, not {value}.");
        });
        return option;
    }
}
