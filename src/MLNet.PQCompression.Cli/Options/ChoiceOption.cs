using System.CommandLine;

namespace MLNet.PQCompression.Cli.Options;

/// <summary>An option whose values are the names of an enumeration, in lower case.</summary>
internal static class ChoiceOption
{
    public static Option<T> Create<T>(string name, string description, T standard)
        where T : struct, Enum
    {
        string choices = string.Join('|', Enum.GetNames<T>()).ToLowerInvariant();
        return new(name)
        {
            HelpName = choices,
            Description = description,
            CustomParser = result =>
            {
                string text = result.Tokens.Count == 1 ? result.Tokens[0].Value : "";
                string? found = Enum.GetNames<T>().FirstOrDefault(n => n.Equals(text, StringComparison.OrdinalIgnoreCase));
                if (found is not null)
                    return Enum.Parse<T>(found);
                result.AddError($"{name} '{text}': expected {choices}.");
                return standard;
            },
            DefaultValueFactory = _ => standard,
        };
    }
}
